package sswe

import (
	"fmt"
	"math"
	"strconv"

	"elastography/data/npz"
	"elastography/sswe/onnx"
)

// The names of the exported network's input and outputs.
const (
	ONNXImage     = "bmode"         // [batch, height, width, 1], grey level 0..1, on the network's grid
	ONNXStiffness = "stiffness_kpa" // [batch, height, width, 1], kPa
	ONNXFeatures  = "features"      // [batch, channels], see Prediction.Features
)

// ExportONNX turns a finished model (a run's folder or a model file) into an ONNX file's content: the network with batch
// normalisation folded into the convolutions, for any batch size, answering in kPa. Metadata says what the network was
// trained on and that its images are synthetic. Pixels of the grid are Config.Grid.MMPerPx wide.
func ExportONNX(path string) ([]byte, error) {
	file, err := modelPath(path)
	if err != nil {
		return nil, err
	}
	c, err := readCheckpoint(file)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	e := exporter{config: c.meta.Config, file: c.file, graph: &onnx.Graph{Name: "sswe", Producer: "sSWE",
		Doc: "Synthetic shear-wave elastogram from a B-mode image: " + c.meta.Origin.Note()}}
	e.graph.Metadata = []onnx.Property{
		{Key: "trained_on", Value: c.meta.Origin.Note()}, {Key: "organ", Value: c.meta.Origin.Organ},
		{Key: "simulated_training_data", Value: strconv.FormatBool(c.meta.Origin.AnySimulated())},
		{Key: "mm_per_px", Value: number(c.meta.Config.Grid.MMPerPx)}, {Key: "range_kpa", Value: number(c.meta.Config.RangeKPa)},
	}
	if e.network(); e.err != nil {
		return nil, fmt.Errorf("export %s: %w", file, e.err)
	}
	return e.graph.Encode(), nil
}

// exporter writes the network of network.go in ONNX's operations. It keeps the first error.
type exporter struct {
	config Config
	file   *npz.File
	graph  *onnx.Graph
	err    error
}

// network mirrors Network.forward; ONNX puts channels before rows.
func (e *exporter) network() {
	g, n, grid := e.graph, e.config.Network, e.config.Grid
	batch := onnx.Dim{Name: "batch"}
	h, w, one := onnx.Dim{Size: grid.Height}, onnx.Dim{Size: grid.Width}, onnx.Dim{Size: 1}
	x := g.Input(ONNXImage, batch, h, w, one)
	x = g.Node("Reshape", []onnx.Value{x, g.Integers("image_shape", -1, 1, int64(grid.Height), int64(grid.Width))})
	multiple := 1 << n.Levels
	below, right := (multiple-grid.Height%multiple)%multiple, (multiple-grid.Width%multiple)%multiple
	if below+right > 0 {
		x = g.Node("Pad", []onnx.Value{x, g.Integers("padding", 0, 0, 0, 0, 0, 0, int64(below), int64(right))})
	}
	channels := 1
	var skips []onnx.Value
	for level := range n.Levels {
		x = e.unit(fmt.Sprintf("encoder_%d", level), x, channels, n.channels(level))
		channels = n.channels(level)
		skips = append(skips, x)
		x = g.Node("MaxPool", []onnx.Value{x}, onnx.Attribute{Name: "kernel_shape", Value: []int{2, 2}}, onnx.Attribute{Name: "strides", Value: []int{2, 2}})
	}
	x = e.unit("bottleneck", x, channels, n.channels(n.Levels))
	channels = n.channels(n.Levels)
	features := g.NamedNode(ONNXFeatures, "ReduceMean", []onnx.Value{x}, onnx.Attribute{Name: "axes", Value: []int{2, 3}}, onnx.Attribute{Name: "keepdims", Value: 0})
	double := g.Weights("double", []float32{1, 1, 2, 2}, 4)
	for level := n.Levels - 1; level >= 0; level-- {
		x = g.Node("Resize", []onnx.Value{x, "", double}, onnx.Attribute{Name: "mode", Value: "nearest"},
			onnx.Attribute{Name: "coordinate_transformation_mode", Value: "asymmetric"}, onnx.Attribute{Name: "nearest_mode", Value: "floor"})
		if n.Skips {
			x = g.Node("Concat", []onnx.Value{x, skips[level]}, onnx.Attribute{Name: "axis", Value: 1})
			channels += n.channels(level)
		}
		x = e.unit(fmt.Sprintf("decoder_%d", level), x, channels, n.channels(level))
		channels = n.channels(level)
	}
	kernel, biases := e.read("head/conv/weights", channels*n.outputs()), e.read("head/conv/biases", n.outputs())
	if e.err != nil {
		return
	}
	weights := make([]float32, channels) // of the stiffness, which the head answers in kPa
	for i := range weights {
		weights[i] = kernel[i*n.outputs()] * float32(e.config.RangeKPa)
	}
	biases = []float32{biases[0] * float32(e.config.RangeKPa)}
	x = g.Node("Conv", []onnx.Value{x, g.Weights("head/weights", weights, 1, channels, 1, 1), g.Weights("head/biases", biases, 1)})
	if below+right > 0 {
		x = g.Node("Slice", []onnx.Value{x, g.Integers("from", 0, 0), g.Integers("to", int64(grid.Height), int64(grid.Width)), g.Integers("axes", 2, 3)})
	}
	x = g.Node("Relu", []onnx.Value{x}) // no stiffness below 0 kPa, as in Model.Predict
	x = g.NamedNode(ONNXStiffness, "Reshape", []onnx.Value{x, g.Integers("map_shape", -1, int64(grid.Height), int64(grid.Width), 1)})
	g.Output(x, batch, h, w, one)
	g.Output(features, batch, onnx.Dim{Size: n.channels(n.Levels)})
}

// unit mirrors Network.unit.
func (e *exporter) unit(name string, x onnx.Value, in, out int) onnx.Value {
	for i, channels := range []int{in, out} {
		conv := fmt.Sprintf("%s/conv_%d", name, i)
		weights, biases := e.folded(conv, channels, out)
		x = e.graph.Node("Conv", []onnx.Value{x, e.graph.Weights(conv+"/weights", weights, out, channels, 3, 3), e.graph.Weights(conv+"/biases", biases, out)},
			onnx.Attribute{Name: "pads", Value: []int{1, 1, 1, 1}})
		x = e.graph.Node("LeakyRelu", []onnx.Value{x}, onnx.Attribute{Name: "alpha", Value: e.config.Network.LeakySlope})
	}
	return x
}

// batchNormEpsilon is what GoMLX adds to the variance by default.
const batchNormEpsilon = 1e-3

// folded returns a 3x3 convolution's weights as [out, in, 3, 3] and biases, batch normalisation applied to both.
func (e *exporter) folded(conv string, in, out int) (weights, biases []float32) {
	kernel := e.read(conv+"/conv/weights", 9*in*out) // [3, 3, in, out]
	gain, shift := make([]float64, out), make([]float64, out)
	if e.config.Network.BatchNorm {
		norm := conv + "/batch_normalization/"
		scale, offset, mean, variance := e.read(norm+"scale", out), e.read(norm+"offset", out), e.read(norm+"mean", out), e.read(norm+"variance", out)
		if e.err != nil {
			return nil, nil
		}
		for c := range out {
			gain[c] = float64(scale[c]) / math.Sqrt(float64(variance[c])+batchNormEpsilon)
			shift[c] = float64(offset[c]) - gain[c]*float64(mean[c])
		}
	} else {
		bias := e.read(conv+"/conv/biases", out)
		if e.err != nil {
			return nil, nil
		}
		for c := range out {
			gain[c], shift[c] = 1, float64(bias[c])
		}
	}
	if e.err != nil {
		return nil, nil
	}
	weights, biases = make([]float32, len(kernel)), make([]float32, out)
	for c := range out {
		biases[c] = float32(shift[c])
		for i := range in {
			for tap := range 9 {
				weights[(c*in+i)*9+tap] = float32(gain[c] * float64(kernel[(tap*in+i)*out+c]))
			}
		}
	}
	return weights, biases
}

// read takes an array of so many values from the checkpoint.
func (e *exporter) read(name string, n int) []float32 {
	if e.err != nil {
		return nil
	}
	values, shape, err := npz.Get[float32](e.file, "network/"+name)
	if err == nil && len(values) != n {
		err = fmt.Errorf("%w: weights %s have shape %v, expected %d values", npz.ErrDamaged, name, shape, n)
	}
	e.err = err
	return values
}

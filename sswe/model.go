package sswe

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	_ "github.com/gomlx/gomlx/backends/default" // registers XLA and, as a last resort, pure Go
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"elastography/data"
	"elastography/kernel/pjrt/compiler"
)

// OpenBackend starts the backend that GOMLX_BACKEND names; kernel/pjrt chooses it. The error says how to mend it.
// Convolutions and what goes with them become native operations, and what XLA compiles is kept for the next process.
func OpenBackend() (compute.Backend, error) {
	compiler.Enable(os.Stderr)
	b, err := compute.New()
	if err != nil {
		return nil, fmt.Errorf("start the XLA backend: %w; `go run . doctor` finds out why", err)
	}
	return b, nil
}

// Model is a network with its weights on a backend.
type Model struct {
	Config Config
	Domain Domain // what the training images looked like to the network; zero before training ends
	Origin Origin // what it was trained on

	backend compute.Backend
	store   *model.Store
	predict *model.Exec
}

// newModel builds the network on a backend, its variables taken from loader or, if nil, drawn from the config's seed
// around the output bias biasKPa.
func newModel(backend compute.Backend, c Config, loader model.Loader, biasKPa float64) (*Model, error) {
	m := &Model{Config: c, backend: backend, store: model.NewStore()}
	if loader != nil {
		m.store.SetLoader(loader)
	}
	if err := createVariables(backend, m.store, func(g *graph.Graph) {
		c.Network.forward(m.store.RootScope(), graph.Parameter(g, "image", shapes.Make(dtypes.Float32, 1, c.Grid.Height, c.Grid.Width, 1)))
	}); err != nil {
		return nil, fmt.Errorf("build the network: %w", err)
	}
	var err error
	m.predict, err = model.NewExec(backend, m.store, func(scope *model.Scope, image *graph.Node) (result []*graph.Node) {
		out, features := c.Network.forward(scope, image)
		result = []*graph.Node{output(out, 0), features}
		if c.Network.Scale {
			result = append(result, graph.Exp(clampLogScale(output(out, 1))))
		}
		return result
	})
	if err != nil {
		return nil, fmt.Errorf("build the network: %w", err)
	}
	if loader == nil {
		if err := m.initialise(biasKPa); err != nil {
			return nil, fmt.Errorf("initialise the weights: %w", err)
		}
	}
	return m, nil
}

// initialise draws the convolutions' weights from a normal distribution of variance 2/fan-in (He et al., 2015), each
// variable from a stream of its own name. The head starts ten times smaller and around the training median, so that
// training starts close to the trivial baseline instead of with noise around 0 kPa.
func (m *Model) initialise(biasKPa float64) error {
	for v := range m.store.IterVariables() {
		shape := v.Shape()
		if shape.DType != dtypes.Float32 {
			continue
		}
		values := make([]float32, shape.Size())
		switch name := v.Name(); {
		case name == "weights":
			fanIn := shape.Size() / shape.Dimensions[shape.Rank()-1]
			sigma, rng := math.Sqrt(2/float64(fanIn)), stream(m.Config.Seed, "weights"+v.Path())
			if strings.Contains(v.Path(), "/head/") {
				sigma /= 10
			}
			for i := range values {
				values[i] = float32(sigma * rng.NormFloat64())
			}
		case name == "scale" || name == "variance":
			for i := range values {
				values[i] = 1
			}
		case name == "biases" && strings.Contains(v.Path(), "/head/"):
			values[0] = float32(biasKPa / m.Config.RangeKPa)
			if m.Config.Network.Scale {
				values[1] = float32(math.Log(startScaleKPa / m.Config.RangeKPa))
			}
		}
		if err := v.SetValue(tensors.FromFlatDataAndDimensions(values, shape.Dimensions...)); err != nil {
			return fmt.Errorf("%s: %w", v.Path(), err)
		}
	}
	return nil
}

// Prediction is the network's answer for one sample.
type Prediction struct {
	KPa      []float32 // [Height, Width], Young's modulus in kPa, clipped at 0
	Features []float32 // the bottleneck's features averaged over the image
	ScaleKPa []float32 // the scale of the network's own error, kPa, [Height, Width]; nil unless it was trained with the Laplace loss
}

// Predict draws the synthetic elastogram of each sample; only Image is read.
func (m *Model) Predict(samples []*data.Sample) ([]Prediction, error) {
	batch, pixels := m.Config.Training.BatchSize, m.Config.Grid.Pixels()
	if len(samples) == 1 {
		batch = 1 // a program of its own: a single image need not wait for a batch
	}
	out := make([]Prediction, 0, len(samples))
	for from := 0; from < len(samples); from += batch {
		part := samples[from:min(from+batch, len(samples))]
		images := make([]float32, batch*pixels) // the last batch is filled up with black: one shape, one compiled program
		for i, s := range part {
			if s.Grid != m.Config.Grid || len(s.Image) != pixels {
				return nil, fmt.Errorf("predict %s: the sample is on grid %+v, the network reads %+v", s.ID(), s.Grid, m.Config.Grid)
			}
			copy(images[i*pixels:], s.Image)
		}
		input := tensors.FromFlatDataAndDimensions(images, batch, m.Config.Grid.Height, m.Config.Grid.Width, 1)
		result, err := m.predict.Call(input)
		if err != nil {
			return nil, fmt.Errorf("predict: %w", err)
		}
		kPa, features := tensors.MustCopyFlatData[float32](result[0]), tensors.MustCopyFlatData[float32](result[1])
		for i := range kPa {
			kPa[i] = max(0, kPa[i]*float32(m.Config.RangeKPa))
		}
		channels := len(features) / batch
		for i := range part {
			out = append(out, Prediction{KPa: kPa[i*pixels : (i+1)*pixels], Features: features[i*channels : (i+1)*channels]})
		}
		if m.Config.Network.Scale {
			scale := tensors.MustCopyFlatData[float32](result[2])
			for i := range part {
				for _, v := range scale[i*pixels : (i+1)*pixels] {
					out[from+i].ScaleKPa = append(out[from+i].ScaleKPa, v*float32(m.Config.RangeKPa))
				}
			}
		}
		for _, t := range append(result, input) {
			t.MustFinalizeAll()
		}
	}
	return out, nil
}

// features is Predict without the maps, which are kept for a thousand samples at a time: those of a large cohort would not
// fit into memory.
func (m *Model) features(samples []*data.Sample) ([]Prediction, error) {
	out := make([]Prediction, 0, len(samples))
	for part := range slices.Chunk(samples, 1024) {
		predictions, err := m.Predict(part)
		if err != nil {
			return nil, err
		}
		for _, p := range predictions {
			out = append(out, Prediction{Features: p.Features})
		}
	}
	return out, nil
}

// Weights counts the trainable numbers.
func (m *Model) Weights() int {
	n := 0
	for v := range m.store.IterVariables() {
		if v.Trainable && strings.HasPrefix(v.Path(), "/network/") {
			n += v.Shape().Size()
		}
	}
	return n
}

// Close frees the weights and the compiled program at once: for those who hold many models, one after the other.
func (m *Model) Close() {
	m.predict.Finalize()
	m.store.Finalize()
}

// Backend describes the backend the model runs on, e.g. with the PJRT plugin's version.
func (m *Model) Backend() string { return m.backend.Description() }

// tensor4 is a [batch, height, width, 1] tensor of a copy of values.
func tensor4(values []float32, batch int, g data.Grid) *tensors.Tensor {
	t := tensors.FromShape(shapes.Make(dtypes.Float32, batch, g.Height, g.Width, 1))
	tensors.MustMutableFlatData(t, func(flat []float32) { copy(flat, values) })
	return t
}

// stream is the random stream of that name under a seed: no two names share one.
func stream(seed uint64, name string) *rand.Rand { return data.Stream(seed, "sswe/"+name) }

package sswe

import (
	"fmt"

	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // graph code reads as formulas, as in GoMLX's own examples
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/layers/norm"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
)

// forward is the whole network: image [batch, height, width, 1] (grey level 0..1) to stiffness
// [batch, height, width, 1] in units of Config.RangeKPa, with Network.Scale beside it, [batch, height, width, 2], the
// natural logarithm of the scale of its error in that unit; and the bottleneck's features averaged over the image,
// [batch, channels], which tell how far an image is from the training domain.
//
// Sizes that the poolings don't divide are padded with black below and to the right, and the output is cropped.
func (n Network) forward(scope *model.Scope, image *Node) (stiffness, features *Node) {
	scope = scope.In("network")
	dims := image.Shape().Dimensions
	x := padTo(image, 1<<n.Levels)

	var skips []*Node
	for level := range n.Levels {
		x = n.unit(scope.In("encoder_%d", level), x, n.channels(level))
		skips = append(skips, x)
		x = pool(x)
	}
	x = n.unit(scope.In("bottleneck"), x, n.channels(n.Levels))
	features = ReduceMean(x, 1, 2)
	for level := n.Levels - 1; level >= 0; level-- {
		x = enlarge(x)
		if n.Skips {
			x = Concatenate([]*Node{x, skips[level]}, -1)
		}
		x = n.unit(scope.In("decoder_%d", level), x, n.channels(level))
	}
	x = layers.Convolution(scope.In("head"), x).Channels(n.outputs()).KernelSize(1).PadSame().Done()
	return Slice(x, AxisRange(), AxisRange(0, dims[1]), AxisRange(0, dims[2]), AxisRange()), features
}

// outputs is 1 for stiffness alone, 2 with the scale of its error.
func (n Network) outputs() int {
	if n.Scale {
		return 2
	}
	return 1
}

// output is one channel of forward's result, [batch, height, width, 1].
func output(x *Node, channel int) *Node {
	return Slice(x, AxisRange(), AxisRange(), AxisRange(), AxisRange(channel, channel+1))
}

// channels doubles at each level.
func (n Network) channels(level int) int { return n.BaseChannels << level }

// unit is two 3x3 convolutions (EP3987445B1), each normalised and followed by a leaky rectifier.
func (n Network) unit(scope *model.Scope, x *Node, channels int) *Node {
	for i := range 2 {
		s := scope.In("conv_%d", i)
		weights := s.In("conv").VariableWithShape("weights", shapes.Make(x.DType(), 3, 3, x.Shape().Dimensions[3], channels))
		x = n.activate(s, Convolve(x, weights.NodeValue(x.Graph())).PadSame().Done())
	}
	return x
}

// activate follows a convolution: batch normalisation, or a bias without it, and a leaky rectifier.
func (n Network) activate(scope *model.Scope, x *Node) *Node {
	if n.BatchNorm && x.Graph().NumDevices() > 1 {
		x = spreadBatchNorm(scope, x)
	} else if n.BatchNorm {
		x = norm.BatchNorm(scope, x, -1).Momentum(batchNormMomentum).Done()
	} else {
		channels := x.Shape().Dimensions[3]
		bias := scope.Shared("conv").WithInitializer(initializer.Zero).VariableWithShape("biases", shapes.Make(x.DType(), channels)).NodeValue(x.Graph())
		x = Add(x, Reshape(bias, 1, 1, 1, channels))
	}
	return Where(GreaterThan(x, ZerosLike(x)), x, MulScalar(x, n.LeakySlope))
}

// batchNormMomentum makes the running averages, which validation uses, forget in about ten steps: an epoch here is
// only some fourteen. Before a model is kept they are computed exactly, over all training planes.
const batchNormMomentum = 0.9

// pool halves height and width by the maximum of each 2x2 block. As a reshape it trains slightly faster than MaxPool.
func pool(x *Node) *Node {
	d := x.Shape().Dimensions
	return ReduceMax(Reshape(x, d[0], d[1]/2, 2, d[2]/2, 2, d[3]), 2, 4)
}

// enlarge doubles height and width by repeating each pixel.
func enlarge(x *Node) *Node {
	d := x.Shape().Dimensions
	x = BroadcastToDims(Reshape(x, d[0], d[1], 1, d[2], 1, d[3]), d[0], d[1], 2, d[2], 2, d[3])
	return Reshape(x, d[0], 2*d[1], 2*d[2], d[3])
}

// padTo appends zeros until height and width are multiples of m (Pad has no gradient in GoMLX v0.28).
func padTo(x *Node, m int) *Node {
	for _, axis := range []int{1, 2} {
		shape := x.Shape().Clone()
		if rest := shape.Dimensions[axis] % m; rest != 0 {
			shape.Dimensions[axis] = m - rest
			x = Concatenate([]*Node{x, Zeros(x.Graph(), shape)}, axis)
		}
	}
	return x
}

// Layer is one row of the network's description.
type Layer struct {
	Name, Kind              string // Kind: input, conv, pool, up, concat, output
	Height, Width, Channels int
	Weights                 int     // trainable numbers
	MFLOPs                  float64 // multiplications and additions for one image, millions
	SkipFrom                int     // for concat: index of the layer joined; otherwise -1
}

// Describe lists the network's layers for an image of the given size, from input to output.
func (n Network) Describe(height, width int) []Layer {
	multiple := 1 << n.Levels
	h, w := (height+multiple-1)/multiple*multiple, (width+multiple-1)/multiple*multiple
	list := []Layer{{Name: "B-mode", Kind: "input", Height: h, Width: w, Channels: 1, SkipFrom: -1}}
	add := func(l Layer) { l.Height, l.Width = h, w; list = append(list, l) }
	in := 1
	conv := func(name, kind string, kernel, out int, normalised bool) {
		weights := kernel*kernel*in*out + out
		if normalised {
			weights += out // scale and offset instead of a bias
		}
		add(Layer{Name: name, Kind: kind, Channels: out, Weights: weights, SkipFrom: -1,
			MFLOPs: 2e-6 * float64(kernel*kernel*in*out*h*w)})
		in = out
	}
	unit := func(name string, out int) {
		for i := range 2 {
			conv(fmt.Sprintf("%s conv_%d", name, i), "conv", 3, out, n.BatchNorm)
		}
	}
	var skips []int
	for level := range n.Levels {
		unit(fmt.Sprintf("encoder_%d", level), n.channels(level))
		skips = append(skips, len(list)-1)
		h, w = h/2, w/2
		add(Layer{Name: fmt.Sprintf("pool_%d", level), Kind: "pool", Channels: in, SkipFrom: -1})
	}
	unit("bottleneck", n.channels(n.Levels))
	for level := n.Levels - 1; level >= 0; level-- {
		h, w = 2*h, 2*w
		add(Layer{Name: fmt.Sprintf("up_%d", level), Kind: "up", Channels: in, SkipFrom: -1})
		if n.Skips {
			in += n.channels(level)
			add(Layer{Name: fmt.Sprintf("concat_%d", level), Kind: "concat", Channels: in, SkipFrom: skips[level]})
		}
		unit(fmt.Sprintf("decoder_%d", level), n.channels(level))
	}
	conv("sSWE", "output", 1, n.outputs(), false)
	return list
}

package sswe

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // formulas
	"github.com/gomlx/gomlx/ml/model"
)

// kernel3x3 is the variable of a 3x3 convolution's weights, [3, 3, in, out], under the scope's name in checkpoints.
func kernel3x3(scope *model.Scope, x *Node, in, out int) *Node {
	return scope.In("conv").VariableWithShape("weights", shapes.Make(x.DType(), 3, 3, in, out)).NodeValue(x.Graph())
}

// convolve3x3 convolves x [batch, height, width, in] with kernel [3, 3, in, out], zeros outside.
func convolve3x3(x, kernel *Node) *Node {
	return Convolve(x, kernel).PadSame().Done()
}

// upsampleConvolve3x3 is convolve3x3 of x with each pixel repeated to 2x2, for 4/9 of its multiplications: the two output
// rows between the centres of low-resolution rows y-1 and y see nothing but those two rows, so one 2x2 convolution at low
// resolution gives each 2x2 block of output pixels as four groups of channels (sub-pixel convolution, Shi et al., 2016).
// [batch, height, width, in] becomes [batch, 2 height, 2 width, out].
func upsampleConvolve3x3(x, kernel *Node) *Node {
	d, out := x.Shape().Dimensions, kernel.Shape().Dimensions[3]
	n, h, w := d[0], d[1], d[2]
	blocks := convolve2x2(x, subPixelKernel(kernel)) // [n, h+1, w+1, 4 out], row and column 0 centred on the border
	blocks = TransposeAllDims(Reshape(blocks, n, h+1, w+1, 2, 2, out), 0, 1, 3, 2, 4, 5)
	return Slice(Reshape(blocks, n, 2*h+2, 2*w+2, out), AxisRange(), AxisRange(1, 2*h+1), AxisRange(1, 2*w+1), AxisRange())
}

// subPixelKernel turns [3, 3, in, out] into [2, 2, in, 4 out]: along each axis, of the three taps on the doubled image the
// first output pixel has two on the earlier low-resolution pixel and one on the later, the second one and two.
func subPixelKernel(kernel *Node) *Node {
	d := kernel.Shape().Dimensions
	in, out := d[2], d[3]
	taps := Const(kernel.Graph(), [][][]float32{ // [low-resolution pixel, output pixel, tap]
		{{1, 1, 0}, {1, 0, 0}},
		{{0, 0, 1}, {0, 1, 1}},
	})
	k := DotGeneral(taps, []int{2}, nil, kernel, []int{0}, nil) // [2, 2, 3, in, out]
	k = DotGeneral(taps, []int{2}, nil, k, []int{2}, nil)       // columns first: [2, 2, 2, 2, in, out]
	return Reshape(TransposeAllDims(k, 2, 0, 4, 3, 1, 5), 2, 2, in, 4*out)
}

// convolve2x2 convolves x, with one pixel of zeros around it, with kernel [2, 2, in, out] to [batch, height+1, width+1, out].
// Its gradients are written out: GoMLX v0.28 has none for kernels of even size. The two identities stand where they are
// asked for, the last one is visited first and keeps the output's gradient; what GoMLX hands to the two goes unused.
func convolve2x2(x, kernel *Node) *Node {
	var dy *Node
	kernel = IdentityWithCustomGradient(kernel, func(_, _ *Node) *Node { return filterGradient(x, dy) })
	source := IdentityWithCustomGradient(x, func(_, _ *Node) *Node {
		return Convolve(dy, Transpose(Reverse(StopGradient(kernel), 0, 1), 2, 3)).NoPadding().Done()
	})
	y := Convolve(surround(source), kernel).NoPadding().Done()
	return IdentityWithCustomGradient(y, func(_, v *Node) *Node { dy = v; return v })
}

// surround puts one pixel of zeros around each image.
func surround(x *Node) *Node {
	for _, axis := range []int{1, 2} {
		shape := x.Shape().Clone()
		shape.Dimensions[axis] = 1
		zeros := Zeros(x.Graph(), shape)
		x = Concatenate([]*Node{zeros, x, zeros}, axis)
	}
	return x
}

// filterGradient is convolve2x2's gradient with respect to its kernel: for each tap the product of the shifted input and the
// output's gradient, summed over all pixels of the batch.
func filterGradient(x, dy *Node) *Node {
	d, in, out := dy.Shape().Dimensions, x.Shape().Dimensions[3], dy.Shape().Dimensions[3]
	x = surround(x)
	var taps []*Node
	for i := range 2 {
		for j := range 2 {
			shifted := Slice(x, AxisRange(), AxisRange(i, i+d[1]), AxisRange(j, j+d[2]), AxisRange())
			taps = append(taps, Reshape(shifted, 1, -1, in))
		}
	}
	product := DotGeneral(Concatenate(taps, 0), []int{1}, nil, Reshape(dy, -1, out), []int{0}, nil)
	return Reshape(product, 2, 2, in, out)
}

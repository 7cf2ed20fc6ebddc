package sswe

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// The discriminator is pix2pix's PatchGAN (Isola et al., CVPR 2017), small as the images are: 4x4 convolutions of stride
// two, then one answer for each patch of 46 x 46 pixels. VEUS and MEIS-Net, the peers of facts (paper sheet §2), train
// with one; it is the peer to compare with, not the papers' method.
var patchChannels = []int{32, 64, 128, 1}

const (
	patchSide  = 4
	patchSlope = 0.2 // leaky rectifier of pix2pix
)

// addDiscriminator creates the discriminator's weights on the host, drawn from the seed. They live beside the network's
// and never travel with a finished model.
func addDiscriminator(store *model.Store, seed uint64) error {
	in := 2
	for i, out := range patchChannels {
		scope := store.RootScope().At("discriminator").At("conv_%d", i)
		shape := shapes.Make(dtypes.Float32, patchSide, patchSide, in, out)
		values := make([]float32, shape.Size())
		rng := stream(seed, fmt.Sprintf("weights/discriminator/conv_%d", i))
		for k := range values {
			values[k] = float32(math.Sqrt(2/float64(patchSide*patchSide*in)) * rng.NormFloat64())
		}
		if scope.GetVariable("weights") == nil {
			if _, err := scope.CreateVariable("weights", tensors.FromFlatDataAndDimensions(values, shape.Dimensions...)); err != nil {
				return fmt.Errorf("create the discriminator: %w", err)
			}
			if _, err := scope.CreateVariable("biases", tensors.FromFlatDataAndDimensions(make([]float32, out), out)); err != nil {
				return fmt.Errorf("create the discriminator: %w", err)
			}
		}
		in = out
	}
	return nil
}

// judge tells for each patch whether stiffness (in units of Config.RangeKPa) looks measured, given the B-mode image:
// about 1 for yes, about 0 for no. Frozen weights get no gradient.
func judge(scope *model.Scope, image, stiffness *Node, frozen bool) *Node {
	g := image.Graph()
	x := Concatenate([]*Node{image, stiffness}, -1)
	for i := range patchChannels {
		s := scope.Store().RootScope().At("discriminator").At("conv_%d", i)
		weights, biases := s.GetVariable("weights").NodeValue(g), s.GetVariable("biases").NodeValue(g)
		if frozen {
			weights, biases = StopGradient(weights), StopGradient(biases)
		}
		last, stride := i == len(patchChannels)-1, 2
		if last {
			stride = 1
		}
		x = Convolve(x, oddWindow(weights)).Strides(stride).PadSame().Done()
		x = Add(x, ExpandLeftToRank(biases, x.Rank()))
		if !last {
			x = Max(x, MulScalar(x, patchSlope))
		}
	}
	return x
}

// oddWindow adds a row and a column of zeros before a window of even size. The convolution stays the same; its gradient
// becomes right, which GoMLX 0.28 computes wrongly, with regard to the input, for windows of even size.
func oddWindow(weights *Node) *Node {
	for axis := range 2 {
		border := weights.Shape().Clone()
		border.Dimensions[axis] = 1
		weights = Concatenate([]*Node{Zeros(weights.Graph(), border), weights}, axis)
	}
	return weights
}

// adversarial returns the least-squares losses (Mao et al., ICCV 2017) of the generator, whose gradient reaches the
// prediction alone, and of the discriminator, whose gradient reaches its own weights alone. Both images are blanked
// outside the SWE box and capped where the measured one is saturated, so that neither betrays itself.
func adversarial(scope *model.Scope, image, prediction, target, mask, saturated *Node) (generator, discriminator *Node) {
	measured := Mul(mask, target)
	synthetic := Mul(mask, Where(GreaterThan(saturated, ZerosLike(saturated)), Min(prediction, target), prediction))
	one := func(x *Node) *Node { return ReduceAllMean(Square(AddScalar(x, -1))) }
	generator = one(judge(scope, image, synthetic, true))
	discriminator = MulScalar(Add(one(judge(scope, image, measured, false)),
		ReduceAllMean(Square(judge(scope, image, StopGradient(synthetic), false)))), 0.5)
	return generator, discriminator
}

package sswe

import (
	"fmt"
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/layers/norm"
	"github.com/gomlx/gomlx/ml/model"
)

// plainConvolve3x3 is the textbook form, differentiated by GoMLX.
func plainConvolve3x3(x, kernel *Node) *Node { return Convolve(x, kernel).PadSame().Done() }

// plainUpsample repeats each pixel to 2x2.
func plainUpsample(x *Node) *Node {
	d := x.Shape().Dimensions
	x = BroadcastToDims(Reshape(x, d[0], d[1], 1, d[2], 1, d[3]), d[0], d[1], 2, d[2], 2, d[3])
	return Reshape(x, d[0], 2*d[1], 2*d[2], d[3])
}

// The fast convolutions are the plain ones: same output, same gradient with respect to input and kernel.
func TestFastConvolutionsEqualThePlainOnes(t *testing.T) {
	for name, forms := range map[string][2]func(x, kernel *Node) *Node{
		"3x3":            {convolve3x3, plainConvolve3x3},
		"upsampling 3x3": {upsampleConvolve3x3, func(x, kernel *Node) *Node { return plainConvolve3x3(plainUpsample(x), kernel) }},
	} {
		for _, shape := range [][5]int{{2, 4, 6, 3, 5}, {1, 1, 1, 2, 3}, {2, 5, 2, 1, 16}, {2, 3, 4, 32, 48}, {2, 6, 10, 16, 16}} {
			batch, h, w, in, out := shape[0], shape[1], shape[2], shape[3], shape[4]
			x, kernel := randomTensor(name+"x", batch, h, w, in), randomTensor(name+"kernel", 3, 3, in, out)
			var got [2][]*tensors.Tensor
			for i, form := range forms {
				got[i] = MustNewExec(backend, func(x, kernel *Node) []*Node {
					y := form(x, kernel)
					// A loss whose gradient differs from pixel to pixel.
					return append([]*Node{y}, Gradient(ReduceAllSum(Sin(y)), x, kernel)...)
				}).MustCall(x, kernel)
			}
			for k, what := range []string{"output", "input gradient", "kernel gradient"} {
				if d := relativeDifference(got[0][k], got[1][k]); d > 1e-5 {
					t.Errorf("%s, shape %v: the %s differs by %.2g of its largest value", name, shape, what, d)
				}
			}
		}
	}
}

func randomTensor(name string, dims ...int) *tensors.Tensor {
	rng, n := stream(1, "test/"+fmt.Sprint(name, dims)), 1
	for _, d := range dims {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// relativeDifference is the largest difference, of the largest value of want; +Inf where shapes differ.
func relativeDifference(got, want *tensors.Tensor) float64 {
	if !got.Shape().Equal(want.Shape()) {
		return math.Inf(1)
	}
	a, b := tensors.MustCopyFlatData[float32](got), tensors.MustCopyFlatData[float32](want)
	var worst, largest float64
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i]-b[i])))
		largest = max(largest, math.Abs(float64(b[i])))
	}
	return worst / max(largest, 1e-30)
}

// textbook is Network.forward as the papers draw it, of GoMLX's own layers: doubled, concatenated, then convolved.
func (n Network) textbook(scope *model.Scope, x *Node) *Node {
	scope = scope.In("network")
	unit := func(scope *model.Scope, x *Node, channels int) *Node {
		for i := range 2 {
			s := scope.In("conv_%d", i)
			x = layers.Convolution(s, x).Channels(channels).KernelSize(3).PadSame().UseBias(!n.BatchNorm).Done()
			if n.BatchNorm {
				x = norm.BatchNorm(s, x, -1).Momentum(batchNormMomentum).Done()
			}
			x = Max(x, MulScalar(x, n.LeakySlope))
		}
		return x
	}
	var skips []*Node
	for level := range n.Levels {
		x = unit(scope.In("encoder_%d", level), x, n.channels(level))
		skips = append(skips, x)
		x = MaxPool(x).Window(2).Done()
	}
	x = unit(scope.In("bottleneck"), x, n.channels(n.Levels))
	for level := n.Levels - 1; level >= 0; level-- {
		x = plainUpsample(x)
		if n.Skips {
			x = Concatenate([]*Node{x, skips[level]}, -1)
		}
		x = unit(scope.In("decoder_%d", level), x, n.channels(level))
	}
	return layers.Convolution(scope.In("head"), x).Channels(1).KernelSize(1).PadSame().Done()
}

// The network is the papers': from the same weights, its output and the gradient of every weight are those of the textbook
// form, in training and in prediction.
func TestNetworkEqualsItsTextbookForm(t *testing.T) {
	for name, change := range map[string]func(*Network){
		"as preset":          func(*Network) {},
		"without skips":      func(n *Network) { n.Skips = false },
		"without batch norm": func(n *Network) { n.BatchNorm = false },
	} {
		c := toy()
		c.Network.Levels = 2
		change(&c.Network)
		m, err := newModel(backend, c, nil, 20)
		if err != nil {
			t.Fatal(err)
		}
		image := randomTensor("image", 2, 16, 24, 1)
		for _, training := range []bool{false, true} {
			var got [2][]*tensors.Tensor
			for i := range got {
				got[i] = model.MustNewExec(backend, m.store, func(scope *model.Scope, image *Node) []*Node {
					g := image.Graph()
					var y *Node
					scope.Store().SetTraining(g, training)
					if i == 0 {
						y, _ = c.Network.forward(scope, image)
					} else {
						y = c.Network.textbook(scope, image)
					}
					out := []*Node{y}
					if training {
						var weights []*Node
						for v := range m.store.IterVariables() {
							if v.Trainable && v.InUseByGraph(g) {
								weights = append(weights, v.NodeValue(g))
							}
						}
						out = append(out, Gradient(ReduceAllSum(Sin(y)), weights...)...)
					}
					return out
				}).MustCall(image)
			}
			if len(got[0]) != len(got[1]) || training == (len(got[0]) == 1) {
				t.Fatalf("%s: %d results, %d expected", name, len(got[0]), len(got[1]))
			}
			for k := range got[0] {
				if d := relativeDifference(got[0][k], got[1][k]); d > 2e-4 || k == 0 && d > 1e-5 {
					t.Errorf("%s, training %v: result %d (0 is the output, then gradients) differs by %.2g of its largest value", name, training, k, d)
				}
			}
		}
	}
}

//go:build linux && cgo

package nativeops_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/go-xla/compute/xla"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"elastography/kernel/pjrt"
	"elastography/kernel/pjrt/compiler"
	"elastography/kernel/pjrt/nativeops"
)

var backend compute.Backend

func TestMain(m *testing.M) {
	if _, err := pjrt.Use(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	compiler.Enable(os.Stderr)
	var err error
	if backend, err = compute.New(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func random(seed uint64, dims ...int) *tensors.Tensor {
	return scattered(seed, 1, dims...)
}

func scattered(seed uint64, sigma float64, dims ...int) *tensors.Tensor {
	rng, n := rand.New(rand.NewPCG(seed, 1)), 1
	for _, d := range dims {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(sigma * rng.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// kernel is a random one that keeps the scatter of what it convolves.
func kernel(seed uint64, side, in, out int) *tensors.Tensor {
	return scattered(seed, 1/math.Sqrt(float64(side*side*in)), side, side, in, out)
}

// difference is the largest one, of the largest value of want.
func difference(t *testing.T, got, want *tensors.Tensor) float64 {
	t.Helper()
	if !got.Shape().Equal(want.Shape()) {
		t.Fatalf("shapes %s and %s", got.Shape(), want.Shape())
	}
	a, b := tensors.MustCopyFlatData[float32](got), tensors.MustCopyFlatData[float32](want)
	worst, largest := 0.0, 0.0
	for i := range a {
		if d := math.Abs(float64(a[i] - b[i])); !(d <= worst) {
			worst = d
		}
		largest = max(largest, math.Abs(float64(b[i])))
	}
	return worst / max(largest, 1e-30)
}

// both runs a function written in GoMLX's usual operations, which become native ones, and a reference that must not, and
// compares all results. loss makes gradients that differ from number to number.
func both(t *testing.T, what string, tolerance float64, native, reference func(in []*Node) []*Node, in ...*tensors.Tensor) {
	t.Helper()
	var got [2][]*tensors.Tensor
	for i, form := range []func(in []*Node) []*Node{native, reference} {
		e := MustNewExec(backend, func(in []*Node) []*Node {
			out := form(in)
			loss := ReduceAllSum(Sin(out[0]))
			return append(out, Gradient(loss, in...)...)
		})
		args := make([]any, len(in))
		for k := range in {
			args[k] = in[k]
		}
		var err error
		if got[i], err = e.Call(args...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for k := range got[0] {
		if d := difference(t, got[0][k], got[1][k]); !(d <= tolerance) {
			t.Errorf("%s: result %d (0 is the output, the last %d are gradients) differs by %.2g of its largest value", what, k, len(in), d)
		}
	}
}

func enlarged(x *Node) *Node {
	d := x.Shape().Dimensions
	x = BroadcastToDims(Reshape(x, d[0], d[1], 1, d[2], 1, d[3]), d[0], d[1], 2, d[2], 2, d[3])
	return Reshape(x, d[0], 2*d[1], 2*d[2], d[3])
}

// plain is a convolution as a sum over taps of products of matrices.
func plain(x, kernel *Node) *Node {
	d, k := x.Shape().Dimensions, kernel.Shape().Dimensions
	for axis := range 2 {
		border := x.Shape().Clone()
		if border.Dimensions[axis+1] = k[axis] / 2; k[axis] > 1 {
			zeros := Zeros(x.Graph(), border)
			x = Concatenate([]*Node{zeros, x, zeros}, axis+1)
		}
	}
	var sum *Node
	for i := range k[0] {
		for j := range k[1] {
			shifted := Slice(x, AxisRange(), AxisRange(i, i+d[1]), AxisRange(j, j+d[2]), AxisRange())
			tap := Reshape(Slice(kernel, AxisRange(i, i+1), AxisRange(j, j+1)), k[2], k[3])
			if term := DotGeneral(shifted, []int{3}, nil, tap, []int{0}, nil); sum == nil {
				sum = term
			} else {
				sum = Add(sum, term)
			}
		}
	}
	return sum
}

func TestConvolutionsAndTheirGradientsAreXLAs(t *testing.T) {
	for _, c := range []struct{ batch, height, width, in, out, side int }{
		{2, 5, 31, 16, 16, 3}, {1, 1, 1, 3, 2, 3}, {2, 4, 19, 8, 32, 3}, {2, 4, 6, 64, 128, 3}, {1, 8, 12, 1, 17, 3}, {2, 6, 10, 16, 1, 1},
		{1, 7, 9, 5, 17, 5}, {1, 3, 4, 260, 70, 3}, {1, 5, 7, 18, 32, 3}, {1, 5, 7, 35, 16, 3},
		{1, 9, 11, 32, 48, 3}, {3, 7, 6, 64, 32, 3}, {2, 13, 12, 144, 96, 3}, {8, 2, 6, 32, 128, 3}, // by Winograd's algorithm
	} {
		both(t, fmt.Sprintf("convolution %+v", c), 1e-5,
			func(in []*Node) []*Node { return []*Node{Convolve(in[0], in[1]).PadSame().Done()} },
			func(in []*Node) []*Node { return []*Node{plain(in[0], in[1])} },
			random(1, c.batch, c.height, c.width, c.in), kernel(2, c.side, c.in, c.out))
	}
}

func TestEnlargedAndJoinedImagesAreConvolvedWithoutBeingMade(t *testing.T) {
	for _, c := range []struct{ batch, height, width, in, skip, out int }{
		{2, 2, 27, 16, 8, 16}, {1, 1, 1, 2, 3, 5}, {2, 3, 4, 64, 32, 64}, {2, 2, 5, 20, 1, 40},
		{2, 4, 5, 64, 32, 48}, {1, 7, 5, 32, 64, 32}, {3, 1, 9, 160, 96, 64}, // by Winograd's algorithm
	} {
		low, skip := random(1, c.batch, c.height, c.width, c.in), random(2, c.batch, 2*c.height, 2*c.width, c.skip)
		join := func(in []*Node) *Node { return Concatenate([]*Node{enlarged(in[0]), in[1]}, -1) }
		both(t, fmt.Sprintf("joined %+v", c), 1e-5,
			func(in []*Node) []*Node { return []*Node{Convolve(join(in), in[2]).PadSame().Done()} },
			func(in []*Node) []*Node { return []*Node{plain(join(in), in[2])} }, low, skip, kernel(3, 3, c.in+c.skip, c.out))
		both(t, fmt.Sprintf("enlarged %+v", c), 1e-5,
			func(in []*Node) []*Node { return []*Node{Convolve(enlarged(in[0]), in[1]).PadSame().Done()} },
			func(in []*Node) []*Node { return []*Node{plain(enlarged(in[0]), in[1])} }, low, kernel(4, 3, c.in, c.out))
	}
}

func leaky(x *Node) *Node { return Where(GreaterThan(x, ZerosLike(x)), x, MulScalar(x, 0.1)) }

// normalised is batch normalisation by its formula.
func normalised(x, gamma, beta *Node) (y, mean, variance *Node) {
	across := func(v *Node) *Node { return Reshape(v, 1, 1, 1, -1) }
	mean = ReduceMean(x, 0, 1, 2)
	variance = ReduceMean(Square(Sub(x, across(mean))), 0, 1, 2)
	y = Div(Sub(x, across(mean)), Sqrt(AddScalar(across(variance), 1e-3)))
	return Add(Mul(y, across(gamma)), across(beta)), mean, variance
}

func TestNormalisationAndRectifierInTraining(t *testing.T) {
	for _, dims := range [][]int{{2, 5, 7, 16}, {1, 2, 1, 3}, {8, 16, 24, 64}, {2, 3, 3, 33}, {3, 20, 30, 20}} {
		in := []*tensors.Tensor{random(1, dims...), random(2, dims[3]), random(3, dims[3])}
		for name, after := range map[string]func(*Node) *Node{"with rectifier": leaky, "without": func(x *Node) *Node { return x }} {
			both(t, fmt.Sprintf("%v %s", dims, name), 1e-4, func(in []*Node) []*Node {
				y, mean, variance := InternalBatchNormForTraining(in[0], in[1], in[2], 1e-3, 3)
				return []*Node{after(y), mean, variance}
			}, func(in []*Node) []*Node {
				y, mean, variance := normalised(in[0], in[1], in[2])
				return []*Node{after(y), mean, variance}
			}, in...)
		}
	}
}

func TestConvolutionNormalisationAndRectifierInPrediction(t *testing.T) {
	for _, out := range []int{16, 3, 40} {
		x, k, gamma, beta, mean := random(1, 2, 6, 10, 12), kernel(2, 3, 12, out), random(3, out), random(4, out), random(5, out)
		variance := tensors.FromFlatDataAndDimensions(slices.Repeat([]float32{0.7}, out), out)
		across := func(v *Node) *Node { return Reshape(v, 1, 1, 1, -1) }
		var got [2]*tensors.Tensor
		for i := range got {
			got[i] = MustNewExec(backend, func(in []*Node) *Node {
				if i == 0 {
					return leaky(InternalBatchNormForInference(Convolve(in[0], in[1]).PadSame().Done(), in[2], in[3], in[4], in[5], 1e-3, 3))
				}
				y := Div(Sub(plain(in[0], in[1]), across(in[4])), Sqrt(AddScalar(across(in[5]), 1e-3)))
				return leaky(Add(Mul(y, across(in[2])), across(in[3])))
			}).MustCall(x, k, gamma, beta, mean, variance)[0]
		}
		if d := difference(t, got[0], got[1]); !(d < 1e-5) {
			t.Errorf("%d channels: the prediction differs by %.2g", out, d)
		}
	}
}

// pooled is the maximum of each 2x2 block, as the networks write it.
func pooled(x *Node) *Node {
	d := x.Shape().Dimensions
	return ReduceMax(Reshape(x, d[0], d[1]/2, 2, d[2]/2, 2, d[3]), 2, 4)
}

// largest is the same, block by block.
func largest(x *Node) *Node {
	at := func(i, j int) *Node {
		return Slice(x, AxisRange(), AxisRange(i).Stride(2), AxisRange(j).Stride(2), AxisRange())
	}
	return Max(Max(at(0, 0), at(0, 1)), Max(at(1, 0), at(1, 1)))
}

func TestPoolingAndItsGradientWithAndWithoutASkip(t *testing.T) {
	for _, dims := range [][]int{{2, 4, 6, 16}, {1, 2, 2, 3}, {2, 6, 10, 33}} {
		for name, join := range map[string]func(x, y *Node) *Node{
			"alone":       func(_, y *Node) *Node { return y },
			"with a skip": func(x, y *Node) *Node { return Concatenate([]*Node{Reshape(x, -1), Reshape(y, -1)}, 0) },
		} {
			both(t, fmt.Sprintf("%v %s", dims, name), 1e-6, func(in []*Node) []*Node { return []*Node{join(in[0], pooled(in[0]))} },
				func(in []*Node) []*Node { return []*Node{join(in[0], largest(in[0]))} }, random(1, dims...))
		}
	}
}

// The operations are the same on processors with shorter vectors; the last test runs this binary again with fewer lanes.
func TestShorterVectorsComputeTheSame(t *testing.T) {
	if os.Getenv(nativeops.EnvNativeOps) != "" {
		t.Skip("run by itself")
	}
	for _, lanes := range []string{"8", "4"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^Test(Convolution|Enlarged|Normalisation|Pooling)", "-test.v")
		cmd.Env = append(os.Environ(), nativeops.EnvNativeOps+"="+lanes)
		if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), "--- PASS") != 5 {
			t.Errorf("%s lanes: %v\n%s", lanes, err, out)
		}
	}
}

// Go's linker passes over all symbols several times more if one of C's is in libgcc: 0.4 s of a notebook cell.
func TestProgramsLinkWithoutLibgcc(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", filepath.Join(t.TempDir(), "linked"), "-ldflags", "-linkmode=internal -v=2", ".").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "nativeops") {
		t.Fatalf("%v\n%.2000s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "first unresolved") {
			t.Error(line)
		}
	}
}

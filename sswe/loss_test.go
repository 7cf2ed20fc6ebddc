package sswe

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"elastography/data"
	"elastography/sswe/metric"
)

// lossCase is a batch of two small images with masked and saturated pixels, away from the losses' corners.
type lossCase struct {
	height, width                       int
	prediction, target, mask, saturated []float32
}

func newLossCase() lossCase {
	c := lossCase{height: 9, width: 12}
	n := 2 * c.height * c.width
	rng := stream(7, "loss test")
	for i := range n {
		target := 0.2 + 0.5*rng.Float32()
		difference := float32(0.02+0.2*rng.Float64()) * float32(1-2*rng.IntN(2))
		c.target, c.prediction = append(c.target, target), append(c.prediction, target+difference)
		c.mask, c.saturated = append(c.mask, 1), append(c.saturated, 0)
		switch {
		case i%5 == 0:
			c.mask[i] = 0
		case i%7 == 0:
			c.saturated[i] = 1
		}
	}
	return c
}

func (c lossCase) tensor(v []float32) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(v, 2, c.height, c.width, 1)
}

func (c lossCase) silent(i int) bool {
	return c.mask[i] == 0 || c.saturated[i] == 1 && c.prediction[i] > c.target[i]
}

// allLosses are those of one output that a configuration may ask for, as objectives.
func allLosses(t *testing.T) map[string]objective {
	t.Helper()
	losses := map[string]objective{}
	for _, name := range Losses() {
		if name == Laplace { // two outputs: checked apart
			continue
		}
		c := toy()
		c.Training.Loss = name
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		losses[name] = c.objective(toyPlanes(c, 4, "loss"))
	}
	return losses
}

// check compares the gradient with central differences, and asks for exactly none where there is nothing to learn.
func check(t *testing.T, name string, c lossCase, variable []float32, loss func(v, target, mask, saturated *graph.Node) *graph.Node) {
	t.Helper()
	value := graph.MustNewExec(backend, loss)
	gradient := graph.MustNewExec(backend, func(v, target, mask, saturated *graph.Node) *graph.Node {
		return graph.Gradient(loss(v, target, mask, saturated), v)[0]
	})
	target, mask, saturated := c.tensor(c.target), c.tensor(c.mask), c.tensor(c.saturated)
	at := func(v []float32) float64 {
		return float64(tensors.ToScalar[float32](value.MustCall(c.tensor(v), target, mask, saturated)[0]))
	}
	got := tensors.MustCopyFlatData[float32](gradient.MustCall(c.tensor(variable), target, mask, saturated)[0])
	pushed := 0.0
	const step = 4e-3
	for i := range variable {
		if c.silent(i) {
			if got[i] != 0 {
				t.Errorf("%s: pixel %d is masked or censored, its gradient is %v", name, i, got[i])
			}
			continue
		}
		if i%3 != 0 {
			continue
		}
		up, down := append([]float32(nil), variable...), append([]float32(nil), variable...)
		up[i] += step
		down[i] -= step
		want := (at(up) - at(down)) / (2 * step)
		pushed = max(pushed, math.Abs(want))
		if math.Abs(float64(got[i])-want) > 0.02*math.Abs(want)+2e-4 {
			t.Errorf("%s: pixel %d: gradient %.6f, differences say %.6f", name, i, got[i], want)
		}
	}
	if pushed < 1e-3 {
		t.Errorf("%s: no pixel has a gradient", name)
	}
}

func TestGradientsOfEveryLossAreThoseOfFiniteDifferences(t *testing.T) {
	c := newLossCase()
	for name, loss := range allLosses(t) {
		check(t, name, c, c.prediction, loss)
	}
	logScale := make([]float32, len(c.prediction))
	for i := range logScale {
		logScale[i] = float32(-2 - 0.05*float64(i%20))
	}
	config := toy()
	config.Training.Loss = Laplace
	laplace := config.objective(nil)
	check(t, "laplace, of the mean", c, c.prediction, func(p, target, mask, saturated *graph.Node) *graph.Node {
		return laplace(graph.Concatenate([]*graph.Node{p, graph.Const(p.Graph(), c.tensor(logScale))}, -1), target, mask, saturated)
	})
	check(t, "laplace, of the scale", c, logScale, func(s, target, mask, saturated *graph.Node) *graph.Node {
		return laplace(graph.Concatenate([]*graph.Node{graph.Const(s.Graph(), c.tensor(c.prediction)), s}, -1), target, mask, saturated)
	})
}

// Whatever stands at a masked pixel, or above the limit at a saturated one, the loss is the same number.
func TestMaskedAndCensoredPixelsDoNotChangeTheLoss(t *testing.T) {
	c := newLossCase()
	other := append([]float32(nil), c.prediction...)
	target := append([]float32(nil), c.target...)
	for i := range other {
		if c.silent(i) {
			other[i] += 3
		}
		if c.mask[i] == 0 {
			target[i] = 9
		}
	}
	for name, loss := range allLosses(t) {
		value := graph.MustNewExec(backend, loss)
		mask, saturated := c.tensor(c.mask), c.tensor(c.saturated)
		a := tensors.ToScalar[float32](value.MustCall(c.tensor(c.prediction), c.tensor(c.target), mask, saturated)[0])
		b := tensors.ToScalar[float32](value.MustCall(c.tensor(other), c.tensor(target), mask, saturated)[0])
		if a != b || !(a > 0) {
			t.Errorf("%s: %v, and %v after a change where it must not look", name, a, b)
		}
		empty := tensors.ToScalar[float32](value.MustCall(c.tensor(c.prediction), c.tensor(c.target), c.tensor(make([]float32, len(c.mask))), saturated)[0])
		if empty != 0 {
			t.Errorf("%s: %v for an empty mask", name, empty)
		}
	}
}

// The graph's structural similarity is the evaluation's.
func TestTheSSIMThatIsLearnedIsTheOneThatIsReported(t *testing.T) {
	c := newLossCase()
	clear(c.saturated)
	n := c.height * c.width
	mix := graph.MustNewExec(backend, ssimMixed)
	got := float64(tensors.ToScalar[float32](mix.MustCall(c.tensor(c.prediction), c.tensor(c.target), c.tensor(c.mask), c.tensor(c.saturated))[0]))
	var similarity, pixels, absolute float64
	for b := range 2 {
		x, y, mask := make([]float64, n), make([]float64, n), make([]bool, n)
		valid := 0.0
		for i := range n {
			j := b*n + i
			x[i], y[i], mask[i] = float64(c.target[j]), float64(c.prediction[j]), c.mask[j] == 1
			if mask[i] {
				valid++
				absolute += math.Abs(x[i] - y[i])
			}
		}
		similarity += valid * metric.SSIM(x, y, c.height, c.width, 1, mask)
		pixels += valid
	}
	if want := (1-ssimShare)*absolute/pixels + ssimShare*(1-similarity/pixels); math.Abs(got-want) > 1e-4 {
		t.Errorf("the mixed loss is %v, metric.SSIM says %v", got, want)
	}
}

// Rare stiffness weighs more, never more than the cap allows, and the average training pixel weighs 1.
func TestStiffnessWeightsFavourWhatIsRare(t *testing.T) {
	s := &data.Sample{Mask: make([]bool, 1000), TargetKPa: make([]float32, 1000)}
	for i := range s.Mask {
		s.Mask[i], s.TargetKPa[i] = i%2 == 0, 22
		if i%10 == 0 {
			s.TargetKPa[i] = 62
		}
	}
	w := stiffnessWeights([]*data.Sample{s}, 70)
	if len(w) != 14 || !(w[12] > 3*w[4]) || w[13]/w[12] > balanceCap {
		t.Errorf("weights %v", w)
	}
	if mean := 0.8*w[4] + 0.2*w[12]; math.Abs(mean-1) > 1e-9 {
		t.Errorf("the average weight is %v", mean)
	}
	for k, x := range stiffnessWeights(nil, 70) {
		if x != 1 {
			t.Errorf("without a pixel bin %d weighs %v", k, x)
		}
	}
}

func TestEveryLossLearns(t *testing.T) {
	for _, name := range []string{L1, L2, Huber, SSIM, Balanced} {
		c := toy()
		c.Training.Loss, c.Training.Epochs, c.Training.AveragedShare = name, 12, 0
		planes := toyPlanes(c, 8, "learns")
		trainer := Trainer{Backend: backend, Config: c, Dir: t.TempDir()}
		_, history, err := trainer.Train(t.Context(), planes)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		first, last := history[0].TrainMAEKPa, history[len(history)-1].TrainMAEKPa
		if !(last < 0.9*first) || first > 40 {
			t.Errorf("%s: training error %.2f kPa in the first epoch, %.2f in the last", name, first, last)
		}
	}
}

func TestAnUnknownLossIsNamed(t *testing.T) {
	c := toy()
	c.Training.Loss = "l3"
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), `"l3"`) || !strings.Contains(err.Error(), "huber") {
		t.Errorf("error %v", err)
	}
}

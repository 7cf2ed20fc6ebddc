package sswe

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Generator and discriminator learn in one step from one sum of losses only because neither loss moves the other's weights.
func TestNeitherOpponentMovesTheOther(t *testing.T) {
	store := model.NewStore()
	if err := addDiscriminator(store, 1); err != nil {
		t.Fatal(err)
	}
	planes := toyPlanes(toy(), 2, "opponents")
	in := batchTensors(planes, toy())
	prediction := tensor4(make([]float32, 2*toy().Grid.Pixels()), 2, toy().Grid)
	sizes := model.MustNewExec(backend, store, func(scope *model.Scope, in []*Node) []*Node {
		weights := scope.Store().RootScope().At("discriminator").At("conv_1").GetVariable("weights").NodeValue(in[0].Graph())
		g, d := adversarial(scope, in[0], in[4], in[1], in[2], in[3])
		var out []*Node
		for _, loss := range []*Node{g, d} {
			for _, gradient := range Gradient(loss, weights, in[4]) {
				out = append(out, ReduceAllSum(Abs(gradient)))
			}
		}
		return out
	}).MustCall(in[0], in[1], in[2], in[3], prediction)
	for k, c := range []struct {
		what  string
		moves bool
	}{{"generator's loss on the discriminator", false}, {"generator's loss on the prediction", true},
		{"discriminator's loss on the discriminator", true}, {"discriminator's loss on the prediction", false}} {
		if got := tensors.ToScalar[float32](sizes[k]); (got != 0) != c.moves {
			t.Errorf("gradient of the %s is %v in size", c.what, got)
		}
	}
}

// The generator's loss has the gradient that differences say, and none at masked pixels and above the display limit.
func TestTheGeneratorsGradientIsThatOfFiniteDifferences(t *testing.T) {
	store := model.NewStore()
	if err := addDiscriminator(store, 1); err != nil {
		t.Fatal(err)
	}
	c := newLossCase()
	image := c.tensor(c.target)
	loss := func(scope *model.Scope, in []*Node) *Node {
		g, _ := adversarial(scope, in[0], in[1], in[2], in[3], in[4])
		return g
	}
	value := model.MustNewExec(backend, store, loss)
	gradient := model.MustNewExec(backend, store, func(scope *model.Scope, in []*Node) *Node { return Gradient(loss(scope, in), in[1])[0] })
	at := func(prediction []float32) float64 {
		return float64(tensors.ToScalar[float32](value.MustCall(image, c.tensor(prediction), c.tensor(c.target), c.tensor(c.mask), c.tensor(c.saturated))[0]))
	}
	got := tensors.MustCopyFlatData[float32](gradient.MustCall(image, c.tensor(c.prediction), c.tensor(c.target), c.tensor(c.mask), c.tensor(c.saturated))[0])
	const step = 5e-4 // few rectifiers bend within it
	pushed := 0
	for i := range got {
		if c.silent(i) {
			if got[i] != 0 {
				t.Errorf("pixel %d is masked or censored, its gradient is %v", i, got[i])
			}
			continue
		}
		if i%6 != 0 {
			continue
		}
		up, down := append([]float32(nil), c.prediction...), append([]float32(nil), c.prediction...)
		up[i] += step
		down[i] -= step
		want := (at(up) - at(down)) / (2 * step)
		if math.Abs(float64(got[i])-want) > 0.03*math.Abs(want)+5e-4 {
			t.Errorf("pixel %d: gradient %.6f, differences say %.6f", i, got[i], want)
		}
		if math.Abs(want) > 2e-3 {
			pushed++
		}
	}
	if pushed < 5 {
		t.Errorf("only %d pixels have a gradient to speak of", pushed)
	}
}

package sswe

import (
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

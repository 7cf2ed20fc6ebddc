package sswe

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"elastography/data"
)

// The description is of the network that is built: it counts the weights that the backend holds.
func TestDescriptionCountsTheWeightsOfTheNetwork(t *testing.T) {
	for name, change := range map[string]func(*Network){
		"as preset":          func(*Network) {},
		"without skips":      func(n *Network) { n.Skips = false },
		"without batch norm": func(n *Network) { n.BatchNorm = false },
		"three levels":       func(n *Network) { n.Levels = 3 },
	} {
		c := toy()
		change(&c.Network)
		m, err := newModel(backend, c, nil, 20)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		weights := 0
		for _, l := range c.Network.Describe(c.Grid.Height, c.Grid.Width) {
			weights += l.Weights
		}
		if weights != m.Weights() {
			t.Errorf("%s: described %d weights, the network has %d", name, weights, m.Weights())
		}
	}
}

// The papers' networks are fully convolutional: any image size gives an output of that size.
func TestOutputIsAsLargeAsTheInputForAnySize(t *testing.T) {
	for _, size := range [][2]int{{17, 23}, {16, 24}} {
		c := toy()
		c.Grid = data.Grid{Height: size[0], Width: size[1], MMPerPx: 1.4}
		m, err := newModel(backend, c, nil, 20)
		if err != nil {
			t.Fatalf("%v: %v", size, err)
		}
		p, err := m.Predict(toyPlanes(c, 1, "size"))
		if err != nil {
			t.Fatal(err)
		}
		if len(p[0].KPa) != size[0]*size[1] {
			t.Errorf("input %v: %d pixels out", size, len(p[0].KPa))
		}
	}
}

func TestUntrainedNetworkStartsNearTheMedian(t *testing.T) {
	c := toy()
	planes := toyPlanes(c, 4, "start")
	m, err := newModel(backend, c, nil, 30)
	if err != nil {
		t.Fatal(err)
	}
	p, err := m.Predict(planes)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := MeanAbsoluteError(planes, p), MeanAbsoluteError(planes, predict(planes, func(*data.Sample, int) float32 { return 30 })); got > 2*want {
		t.Errorf("an untrained network errs by %.1f kPa, the constant by %.1f", got, want)
	}
}

func TestPresetsAreValidAndUnknownOnesNamed(t *testing.T) {
	for _, name := range Presets() {
		c, err := Named(name)
		if err != nil || c.Validate() != nil || c.Preset != name {
			t.Errorf("preset %s: %v, %v", name, err, c.Validate())
		}
	}
	if _, err := Named("papre"); err == nil {
		t.Error("an unknown preset was accepted")
	}
}

// The whole network's gradient, through pooling, up-sampling, skips and normalisation: a small step along it changes the loss
// by as much as its length says, for the weights of every convolution.
func TestTheNetworksGradientIsThatOfFiniteDifferences(t *testing.T) {
	for _, norm := range []bool{true, false} {
		c := toy()
		c.Network.BatchNorm = norm
		m, err := newModel(backend, c, nil, 30)
		if err != nil {
			t.Fatal(err)
		}
		in := batchTensors(toyPlanes(c, 4, "gradient"), c)
		loss := func(scope *model.Scope, in []*graph.Node) *graph.Node {
			scope.Store().SetTraining(in[0].Graph(), true)
			out, _ := c.Network.forward(scope, in[0])
			return maskedL2(output(out, 0), in[1], in[2], in[3])
		}
		value := model.MustNewExec(backend, m.store, loss)
		at := func() float64 {
			return float64(tensors.ToScalar[float32](value.MustCall(in[0], in[1], in[2], in[3])[0]))
		}
		var convolutions []*model.Variable
		for v := range m.store.IterVariables() {
			if v.Name() == "weights" {
				convolutions = append(convolutions, v)
			}
		}
		gradients := model.MustNewExec(backend, m.store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			var nodes []*graph.Node
			for _, v := range convolutions {
				nodes = append(nodes, v.NodeValue(in[0].Graph()))
			}
			return graph.Gradient(loss(scope, in), nodes...)
		}).MustCall(in[0], in[1], in[2], in[3])
		for k, v := range convolutions {
			g := tensors.MustCopyFlatData[float32](gradients[k])
			weights := tensors.MustCopyFlatData[float32](v.MustValue())
			length := 0.0
			for _, x := range g {
				length += float64(x) * float64(x)
			}
			length = math.Sqrt(length)
			moved := func(by float64) float64 {
				w := slices.Clone(weights)
				for i := range w {
					w[i] += float32(by / length * float64(g[i]))
				}
				if err := v.SetValue(tensors.FromFlatDataAndDimensions(w, v.Shape().Dimensions...)); err != nil {
					t.Fatal(err)
				}
				return at()
			}
			const step = 2e-3
			if want := (moved(step) - moved(-step)) / (2 * step); !(math.Abs(length-want) < 0.03*want+1e-5) {
				t.Errorf("batch norm %v, %s: the gradient is %.6f long, differences say %.6f", norm, v.Path(), length, want)
			}
			moved(0)
		}
	}
}

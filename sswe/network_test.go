package sswe

import (
	"testing"

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

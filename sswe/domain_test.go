package sswe

import (
	"testing"

	"elastography/data"
)

// Planes like those trained on are inside the domain; noise, a blank image and another organ are not.
func TestWhatTheNetworkHasNotSeenIsOutsideTheDomain(t *testing.T) {
	c := toy()
	c.Network.BaseChannels = 16
	m, err := newModel(backend, c, nil, 30)
	if err != nil {
		t.Fatal(err)
	}
	predictAll := func(s []*data.Sample) []Prediction {
		t.Helper()
		p, err := m.Predict(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	training := toyPlanes(c, 40, "seen")
	d, o := newDomain(training, predictAll(training)), Origin{Organ: "prostate"}

	flagged := 0
	for _, p := range predictAll(toyPlanes(c, 40, "alike")) {
		if outside, _ := d.Verdict(p, o, "prostate"); outside {
			flagged++
		}
	}
	if flagged > 8 {
		t.Errorf("%d of 40 planes like the training planes are called outside", flagged)
	}
	strange := toyPlanes(c, 2, "strange")
	rng := stream(1, "noise")
	for i := range strange[0].Image {
		strange[0].Image[i], strange[1].Image[i] = rng.Float32(), 0
	}
	predictions := predictAll(strange)
	for k, name := range []string{"noise", "a blank image"} {
		if outside, why := d.Verdict(predictions[k], o, "prostate"); !outside || why == "" {
			t.Errorf("%s is called inside the domain (%.0f %% of features out of range, limit %.0f %%)", name, 100*d.Outside(predictions[k]), 100*d.Limit)
		}
	}
	if outside, why := d.Verdict(predictAll(training[:1])[0], o, "muscle"); !outside || why == "" {
		t.Error("another organ is called inside the domain")
	}
}

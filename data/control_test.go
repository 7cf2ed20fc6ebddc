package data

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// pairs are planes whose image and stiffness both tell who they are of.
func pairs(patients int, planes ...string) []*Sample {
	var list []*Sample
	for p := range patients {
		for k, plane := range planes {
			who := float32(10*p + k)
			list = append(list, &Sample{Patient: fmt.Sprintf("p%02d", p), Plane: plane, Grid: Grid{Height: 3, Width: 2, MMPerPx: 1},
				Image: slices.Repeat([]float32{who}, 6), TargetKPa: slices.Repeat([]float32{who}, 6), Mask: make([]bool, 6), Saturated: make([]bool, 6)})
		}
	}
	return list
}

func TestShuffledPairsKeepThePositionAndLoseThePatient(t *testing.T) {
	samples := pairs(9, "base", "mid")
	shuffled, err := ShufflePairs(samples, 5)
	if err != nil {
		t.Fatal(err)
	}
	images := make(map[float32]int)
	for i, s := range shuffled {
		image, target := int(s.Image[0]), int(s.TargetKPa[0])
		images[s.Image[0]]++
		if s.ID() != samples[i].ID() || target != int(samples[i].TargetKPa[0]) {
			t.Fatalf("plane %s became %s with stiffness %d", samples[i].ID(), s.ID(), target)
		}
		if image/10 == target/10 {
			t.Errorf("%s keeps its own patient's image", s.ID())
		}
		if image%10 != target%10 {
			t.Errorf("%s has the image of another position", s.ID())
		}
		if samples[i].Image[0] != samples[i].TargetKPa[0] {
			t.Fatal("the samples given were changed")
		}
	}
	if len(images) != len(samples) {
		t.Errorf("%d of %d images are used", len(images), len(samples))
	}
}

func TestTheShuffleIsOfTheSeedAndNotOfTheOrder(t *testing.T) {
	pairing := func(samples []*Sample, seed uint64) map[string]float32 {
		shuffled, err := ShufflePairs(samples, seed)
		if err != nil {
			t.Fatal(err)
		}
		who := make(map[string]float32)
		for _, s := range shuffled {
			who[s.ID()] = s.Image[0]
		}
		return who
	}
	samples := pairs(9, "base", "mid")
	reversed := slices.Clone(samples)
	slices.Reverse(reversed)
	if a, b := pairing(samples, 5), pairing(reversed, 5); fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("another order of the planes, another pairing:\n%v\n%v", a, b)
	}
	if a, b := pairing(samples, 5), pairing(samples, 6); fmt.Sprint(a) == fmt.Sprint(b) {
		t.Error("two seeds give one pairing")
	}
}

func TestAPlaneWithoutANamesakeCannotBeShuffled(t *testing.T) {
	samples := append(pairs(3, "mid"), pairs(1, "apex")...)
	if _, err := ShufflePairs(samples, 1); err == nil || !strings.Contains(err.Error(), `"apex"`) {
		t.Errorf("error %v does not name the plane", err)
	}
	if _, err := ShufflePairs(append(pairs(2, "mid"), pairs(1, "mid")...), 1); err == nil || !strings.Contains(err.Error(), "p00") {
		t.Errorf("error %v does not name the patient who has a plane twice", err)
	}
}

func TestADepthOnlyImageKnowsNothingOfThePatient(t *testing.T) {
	samples := pairs(2, "mid")
	ramps := DepthOnly(samples)
	if want := []float32{0, 0, 0.5, 0.5, 1, 1}; !slices.Equal(ramps[0].Image, want) || !slices.Equal(ramps[1].Image, want) {
		t.Errorf("images %v and %v, want %v", ramps[0].Image, ramps[1].Image, want)
	}
	if ramps[1].TargetKPa[0] != 10 || samples[1].Image[0] != 10 {
		t.Error("the stiffness or the samples given were changed")
	}
}

package sswe

import (
	"math"
	"slices"
	"testing"
)

func TestEveryPatientIsLeftOutOnce(t *testing.T) {
	planes := toyPlanes(toy(), 7, "folds")
	folds, err := Folds(planes, 3, 5)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range folds {
		if len(f) < 2 || len(f) > 3 {
			t.Errorf("a fold of %d among 7 patients in 3 folds", len(f))
		}
		all = append(all, f...)
	}
	slices.Sort(all)
	if len(all) != 7 || len(slices.Compact(all)) != 7 {
		t.Errorf("the folds hold %v", all)
	}
	for _, k := range []int{0, 1, 8} {
		if _, err := Folds(planes, k, 5); err == nil {
			t.Errorf("%d folds of 7 patients were accepted", k)
		}
	}
}

// Members that agree keep their own scale; members that are sure but disagree get their disagreement.
func TestEnsembleScaleIsOwnAndBetween(t *testing.T) {
	of := func(kPa, scale float32) []Prediction {
		return []Prediction{{KPa: []float32{kPa}, ScaleKPa: []float32{scale}}}
	}
	agree := Ensemble([][]Prediction{of(20, 3), of(20, 3)})[0]
	differ := Ensemble([][]Prediction{of(10, 0), of(30, 0)})[0]
	if agree.KPa[0] != 20 || math.Abs(float64(agree.ScaleKPa[0])-3) > 1e-6 {
		t.Errorf("agreeing members: %v", agree)
	}
	if differ.KPa[0] != 20 || math.Abs(float64(differ.ScaleKPa[0])-10/math.Sqrt2) > 1e-5 {
		t.Errorf("members at 10 and 30 kPa: %v, expected a Laplace scale of %.2f", differ, 10/math.Sqrt2)
	}
	if plain := Ensemble([][]Prediction{{{KPa: []float32{10}}}, {{KPa: []float32{30}}}})[0]; plain.ScaleKPa[0] != differ.ScaleKPa[0] {
		t.Errorf("without scales of their own: %v", plain)
	}
}

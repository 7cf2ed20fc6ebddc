package data

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"elastography/data/phantom"
)

func TestAreaUnderTheCurveIsTheShareOfPairsInOrder(t *testing.T) {
	regions := func(tumour, benign []float64) []Region {
		var list []Region
		for k, v := range tumour {
			list = append(list, Region{Patient: fmt.Sprint("t", k), Tumour: true, KPa: v})
		}
		for k, v := range benign {
			list = append(list, Region{Patient: fmt.Sprint("b", k), KPa: v})
		}
		return list
	}
	for _, c := range []struct {
		tumour, benign []float64
		auc, cut       float64
	}{
		{[]float64{3, 1}, []float64{2, 0}, 0.75, 3},
		{[]float64{5, 6}, []float64{1, 2, 3}, 1, 5},
		{[]float64{1, 2}, []float64{1, 2}, 0.5, 2},               // ties count half
		{[]float64{0, 4, 4, 5}, []float64{1, 1, 4}, 8.0 / 12, 4}, // by hand: 0 + 2.5 + 2.5 + 3 of 12
		{[]float64{math.NaN(), 2}, []float64{1}, 1, 2},
	} {
		d, ok := Discriminate(regions(c.tumour, c.benign), 1, func(r Region) float64 { return r.KPa })
		if !ok || math.Abs(d.AUC-c.auc) > 1e-12 || d.Cut != c.cut {
			t.Errorf("tumour %v, benign %v: area %.4f and cut %v, want %.4f and %v", c.tumour, c.benign, d.AUC, d.Cut, c.auc, c.cut)
		}
		if !slices.IsSorted(d.FalsePositive) || !slices.IsSorted(d.TruePositive) || d.TruePositive[len(d.TruePositive)-1] != 1 {
			t.Errorf("the curve %v, %v is none", d.FalsePositive, d.TruePositive)
		}
	}
	if _, ok := Discriminate(regions(nil, []float64{1}), 1, func(r Region) float64 { return r.KPa }); ok {
		t.Error("an area without a tumour")
	}
}

// Many regions of one patient are one patient: the interval must not shrink with them.
func TestTheIntervalIsOverPatientsAndNotRegions(t *testing.T) {
	width := func(copies int) float64 {
		var list []Region
		for p := range 8 {
			for range copies {
				list = append(list, Region{Patient: fmt.Sprint(p), Tumour: true, KPa: float64(p % 3)}, Region{Patient: fmt.Sprint(p), KPa: float64((p + 1) % 4)})
			}
		}
		d, _ := Discriminate(list, 1, func(r Region) float64 { return r.KPa })
		return d.CI95[1] - d.CI95[0]
	}
	if one, many := width(1), width(50); one < 0.05 || math.Abs(one-many) > 1e-9 {
		t.Errorf("the interval is %.3f wide with one region a patient, %.3f with fifty", one, many)
	}
}

// tissue is a plane of zones side by side: grey, kPa and label by column.
func tissue(patient string, split Split, at func(x int) (grey uint8, kPa float32, label uint8)) (*Plane, Split) {
	const h, w = 40, 80
	p := &Plane{Patient: patient, Name: "mid", Organ: "prostate", Scanner: "test", Source: Simulated, MMPerPx: statisticsMM, ScaleMaxKPa: 70, Height: h, Width: w,
		BMode: make([]uint8, h*w), SWEKPa: make([]float32, h*w), Saturated: make([]bool, h*w), Confidence: make([]float32, h*w), Labels: make([]uint8, h*w)}
	for i := range p.BMode {
		p.BMode[i], p.SWEKPa[i], p.Labels[i] = at(i % w)
		p.Saturated[i] = p.SWEKPa[i] == 70
	}
	return p, split
}

func summary(t *testing.T, planes map[string]Split, at func(patient string, x int) (uint8, float32, uint8)) *Statistics {
	t.Helper()
	var list []*Plane
	for patient := range planes {
		p, _ := tissue(patient, planes[patient], func(x int) (uint8, float32, uint8) { return at(patient, x) })
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *Plane) int { return strings.Compare(a.Patient, b.Patient) })
	c, err := Save(t.TempDir(), list, func(p string) Split { return planes[p] }, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	st, err := Describe(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestTrivialPredictorsAreFittedOnTrainingAndScoredOnTestPatients(t *testing.T) {
	split := map[string]Split{"a": Train, "b": Train, "c": Test}
	st := summary(t, split, func(patient string, x int) (uint8, float32, uint8) {
		kPa, label := float32(20), phantom.LabelPZ
		if x >= 50 { // less than half: the median is that of PZ
			kPa, label = 40, phantom.LabelTZ
		}
		if patient == "c" {
			kPa += 3
		}
		if patient == "c" && x >= 70 {
			kPa = 70
		}
		return 100, kPa, label
	})
	// Test patient: 50 columns of 23, 20 of 43, 10 saturated at 70, where a guess of 20 is 50 short.
	want := map[string]float64{"median": (50*3.0 + 20*23 + 10*50) / 80, "depth": (50*3.0 + 20*23 + 10*50) / 80, "zone": (50*3.0 + 20*3 + 10*30) / 80}
	if len(st.Trivial) != 3 {
		t.Fatalf("%d predictors", len(st.Trivial))
	}
	for _, p := range st.Trivial {
		if math.Abs(p.MAEKPa-want[p.Name]) > 1e-4 {
			t.Errorf("%s: %.4f kPa, want %.4f", p.Name, p.MAEKPa, want[p.Name])
		}
	}
	if st.Saturated != 10.0/240 {
		t.Errorf("saturated share %.4f, want %.4f", st.Saturated, 10.0/240)
	}
	if len(st.Zones) != 2 || st.Zones[0].Name != "peripheral zone" || st.Zones[0].Median != 20 || st.Zones[1].Q1 != 40 {
		t.Errorf("zones %+v", st.Zones)
	}
}

// A tumour darker than its surroundings is found against its peers, however the gain of each patient was set.
func TestARegionIsComparedWithItsPeersWhateverTheGain(t *testing.T) {
	split := map[string]Split{"a": Train, "b": Train, "c": Test}
	gain := map[string]uint8{"a": 0, "b": 40, "c": 90}
	st := summary(t, split, func(patient string, x int) (uint8, float32, uint8) {
		if x < 16 {
			return 60 + gain[patient], 50, phantom.LabelFocus
		}
		return 80 + gain[patient], 25, phantom.LabelPZ
	})
	if st.Squares.Echo == nil || st.Squares.Echo.AUC != 1 || st.Squares.SWE.AUC != 1 {
		t.Fatalf("areas %+v and %+v, want 1", st.Squares.Echo, st.Squares.SWE)
	}
	for _, r := range Squares(planeSample(t), planeSample(t).Labels) {
		if r.Tumour && (r.Zone != phantom.LabelPZ && r.LateralMM > -20 || math.Abs(r.KPa-50) > 13) {
			t.Errorf("tumour region %+v", r)
		}
		if !r.Tumour && r.LateralMM-regionSideMM/2 < (16-40)*statisticsMM+guardMM-statisticsMM {
			t.Errorf("benign region %+v is closer than %.0f mm to the tumour", r, guardMM)
		}
	}
}

func planeSample(t *testing.T) *Sample {
	t.Helper()
	p, _ := tissue("a", Train, func(x int) (uint8, float32, uint8) {
		if x < 16 {
			return 60, 50, phantom.LabelFocus
		}
		return 80, 25, phantom.LabelPZ
	})
	return p.Resample(Grid{Height: p.Height, Width: p.Width, MMPerPx: p.MMPerPx})
}

// The card reads parameters' sources from their declarations; a renamed file or type would leave it silent.
func TestTheCardFindsWhatEachParameterRestsOn(t *testing.T) {
	list, err := parameters(phantom.Prostate())
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]parameter)
	silent := 0
	for _, p := range list {
		if found[p.name] = p; p.comment == "" {
			silent++
		}
	}
	for name, kind := range map[string]string{"Tumours.HypoechoicShare": "source", "Anatomy.AgeYears": "assumption", "Tumours.GradeLogSD": "design", "Latents.StromaToKPa": "assumption"} {
		if p, ok := found[name]; !ok || p.kind() != kind || p.value == "" {
			t.Errorf("%s rests on %q (%+v), want %q", name, p.kind(), p, kind)
		}
	}
	if silent*5 > len(list) {
		t.Errorf("%d of %d parameters have no comment", silent, len(list))
	}
}

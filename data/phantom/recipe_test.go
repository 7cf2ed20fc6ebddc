package phantom

import (
	"context"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// coarse is a grid for statistics: a plane in milliseconds.
var coarse = Grid{Height: 64, Width: 96, MMPerPx: 0.7}

func TestProstateIsPossible(t *testing.T) {
	if err := Prostate().Validate(); err != nil {
		t.Fatal(err)
	}
}

func TestImpossibleParametersAreRefusedByName(t *testing.T) {
	for name, spoil := range map[string]func(*Recipe){
		"Organ":                                 func(r *Recipe) { r.Organ = "pancreas" },
		"Tissues.PZ.EKPa is -22":                func(r *Recipe) { r.Tissues.PZ.EKPa = -22 },
		"Tissues.TZ.EKPa is 0":                  func(r *Recipe) { r.Tissues.TZ.EKPa = 0 },
		"Tissues.Fat is":                        func(r *Recipe) { r.Tissues.Fat.AttenDBCmMHz = math.NaN() },
		"Tissues.CZ.WithinLogSD":                func(r *Recipe) { r.Tissues.CZ.WithinLogSD = -0.1 },
		"Tissues.AFMS.ClusterShape":             func(r *Recipe) { r.Tissues.AFMS.ClusterShape = 0 },
		"Anatomy.VolumeML.Median":               func(r *Recipe) { r.Anatomy.VolumeML.Median = -40 },
		"Anatomy.VolumeML is":                   func(r *Recipe) { r.Anatomy.VolumeML.Max = math.Inf(1) },
		"Anatomy.VolumeML.Max":                  func(r *Recipe) { r.Anatomy.VolumeML.Max = 2000 },
		"Anatomy.AgeYears.Min is 80, above Max": func(r *Recipe) { r.Anatomy.AgeYears.Min = 80 },
		"Anatomy.MaxHeightMM":                   func(r *Recipe) { r.Anatomy.MaxHeightMM = 0 },
		"Planes.Names has 0":                    func(r *Recipe) { r.Planes.Names = nil },
		"Planes.Names[1] is \"base\"":           func(r *Recipe) { r.Planes.Names = []string{"base", "base", "apex"} },
		"Planes.Positions[2] is -1.5":           func(r *Recipe) { r.Planes.Positions = []float64{0.5, 0, -1.5} },
		"Latents.PatientShare":                  func(r *Recipe) { r.Latents.PatientShare = 0.9 },
		"Latents.StromaToKPa":                   func(r *Recipe) { r.Latents.StromaToKPa = 1.2 },
		"Latents.FineMM":                        func(r *Recipe) { r.Latents.FineMM = 0 },
		"Tumours.GradeKPa[1] is -5":             func(r *Recipe) { r.Tumours.GradeKPa[1] = -5 },
		"Tumours.GradeShare sums to":            func(r *Recipe) { r.Tumours.GradeShare[0] = 0.9 },
		"Tumours.SoftShare is 1.5":              func(r *Recipe) { r.Tumours.SoftShare = 1.5 },
		"Tumours.ExtraFociMean":                 func(r *Recipe) { r.Tumours.ExtraFociMean = 1e9 },
		"Tumours.HypoechoicShare is NaN":        func(r *Recipe) { r.Tumours.HypoechoicShare = math.NaN() },
		"Tumours.HypoContrastDB.SD":             func(r *Recipe) { r.Tumours.HypoContrastDB.SD = -2 },
		"Confounders.StiffTZ[0][1] is -1":       func(r *Recipe) { r.Confounders.StiffTZ[0][1] = -1 },
		"Confounders.StromalKPa.Min":            func(r *Recipe) { r.Confounders.StromalKPa.Min = 0 },
		"Registration.MaxTiltDegrees":           func(r *Recipe) { r.Registration.MaxTiltDegrees = 90 },
		"Registration.ShrinkagePercent.Max":     func(r *Recipe) { r.Registration.ShrinkagePercent.Max = 100 },
		"Beam.Slices is 0":                      func(r *Recipe) { r.Beam.Slices = 0 },
	} {
		r := Prostate()
		spoil(&r)
		refused(t, r, name)
	}
}

// refused fails the test unless the recipe is refused by that name, with a remedy.
func refused(t *testing.T, r Recipe, name string) {
	t.Helper()
	_, err := r.Patient(1, 0)
	if err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("want a refusal naming %q, got %v", name, err)
	} else if !strings.Contains(err.Error(), "give") && !strings.Contains(err.Error(), "swap") && !strings.Contains(err.Error(), "only") {
		t.Errorf("no remedy in %q", err)
	}
}

func TestRequestsOutsideThePatientAreRefused(t *testing.T) {
	r := Prostate()
	if _, err := r.Patient(1, -1); err == nil {
		t.Error("a negative index was accepted")
	}
	p := patient(t, r, 1, 0)
	for name, g := range map[string]Grid{
		"no rows": {0, 96, 0.7}, "no size": {64, 96, 0}, "NaN size": {64, 96, math.NaN()}, "huge": {1 << 30, 1 << 30, 0.1},
	} {
		if _, err := p.Section(context.Background(), 0, g); err == nil {
			t.Errorf("a grid with %s was accepted", name)
		}
	}
	for _, plane := range []int{-1, 3} {
		if _, err := p.Section(context.Background(), plane, coarse); err == nil || !strings.Contains(err.Error(), "p001") {
			t.Errorf("plane %d: want a refusal naming the patient, got %v", plane, err)
		}
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Section(done, 0, coarse); err == nil {
		t.Error("a cancelled context was ignored")
	}
}

// Whatever a recipe says, it is either refused or gives finite, possible tissue.
func TestAnyAcceptedRecipeGivesPossibleTissue(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := Prostate()
		wild := rapid.OneOf(rapid.Float64Range(-2, 2), rapid.Float64Range(-500, 500), rapid.Float64())
		for _, p := range []*float64{
			&r.Anatomy.VolumeML.Median, &r.Anatomy.VolumeML.LogSD, &r.Anatomy.PZThicknessMM.Mean, &r.Anatomy.DentMM.Mean,
			&r.Anatomy.TZShareBase, &r.Anatomy.WidthToHeight.SD, &r.Latents.CoarseMM, &r.Tissues.PZ.EKPa, &r.Tissues.TZ.WithinLogSD,
			&r.Tumours.IndexML.Median, &r.Tumours.GradeKPa[2], &r.Tumours.HypoPerMM, &r.Confounders.NodulesPerTZML,
			&r.Confounders.NoduleML.LogSD, &r.Registration.MaxTiltDegrees, &r.Beam.ShearFWHMMM, &r.Anatomy.MaxHeightMM,
			&r.Latents.StromaToTexture, &r.Tissues.TZKPaPerYear, &r.Latents.StromaToAtten,
		} {
			if rapid.IntRange(0, 29).Draw(rt, "spoil") == 0 {
				*p = wild.Draw(rt, "value")
			}
		}
		p, err := r.Patient(rapid.Uint64().Draw(rt, "seed"), rapid.IntRange(0, 1000).Draw(rt, "index"))
		if err != nil {
			return
		}
		s, err := p.Section(context.Background(), rapid.IntRange(0, 2).Draw(rt, "plane"), Grid{24, 32, 2})
		if err != nil {
			rt.Fatal(err)
		}
		for i, e := range s.EKPa {
			if !(e > 0) || !finite(float64(e), float64(s.BackscatterDB[i]), float64(s.AttenDBCmMHz[i])) ||
				!(s.ClusterShape[i] > 0) || s.AttenDBCmMHz[i] < 0 {
				rt.Fatalf("pixel %d: %g kPa, %g dB, %g dB/cm/MHz, shape %g", i, e, s.BackscatterDB[i], s.AttenDBCmMHz[i], s.ClusterShape[i])
			}
		}
	})
}

func patient(t testing.TB, r Recipe, seed uint64, index int) *Patient {
	t.Helper()
	p, err := r.Patient(seed, index)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func section(t testing.TB, p *Patient, plane int, g Grid) *Section {
	t.Helper()
	s, err := p.Section(context.Background(), plane, g)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

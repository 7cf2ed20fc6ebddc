package followup

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elastography/data"
	"elastography/sswe"
)

func smallStudy() *Study {
	return &Study{Base: sswe.Smoke(), Recipe: data.Recipe{Organ: "prostate", Scanner: "endfire-a", Patients: 12, Test: 2, Seed: 1}, Seeds: 3, Members: 2}
}

// An arm changes one thing of the reference; two arms never share a folder, and each can be trained.
func TestEachArmIsTheReferenceWithOneThingChanged(t *testing.T) {
	s := smallStudy()
	arms := s.Arms()
	if arms[0].Name != Reference || arms[0].Config != s.Base {
		t.Fatalf("the first arm is %+v, expected the reference", arms[0])
	}
	names := map[string]bool{}
	groups := map[string]int{}
	for _, a := range arms {
		if names[a.Name] || a.Name != fileName(a.Name) {
			t.Errorf("arm %q: its name is taken or no folder's", a.Name)
		}
		names[a.Name] = true
		groups[a.Group]++
		if err := a.Config.Validate(); err != nil {
			t.Errorf("arm %s: %v", a.Name, err)
		}
		for _, r := range a.Recipes {
			if err := r.Validate(); err != nil {
				t.Errorf("arm %s: %v", a.Name, err)
			}
		}
		same := a.Config == s.Base && len(a.Recipes) == 1 && a.Recipes[0] == s.Recipe && a.View == Images && a.Patients == 0
		if same != (a.Name == Reference) {
			t.Errorf("arm %s differs from the reference: %v", a.Name, !same)
		}
	}
	for _, group := range []string{"seed", "control", "network", "input", "loss", "training", "patients", "scanner", "organ"} {
		if groups[group] == 0 {
			t.Errorf("no arm varies %s", group)
		}
	}
	if arms[0].Recipes[0] != s.Recipe {
		t.Error("an arm changed the reference's recipe")
	}
}

// A study of one group holds the reference and that group, nothing else; what one arm begins with is there before it.
func TestAStudyCanBeOfOneGroup(t *testing.T) {
	s := smallStudy()
	s.Groups = []string{"scanner"}
	before := map[string]bool{}
	for _, a := range s.Arms() {
		if a.Group != Reference && a.Group != "scanner" {
			t.Errorf("arm %s of group %s", a.Name, a.Group)
		}
		if a.Start != "" && !before[a.Start] {
			t.Errorf("arm %s begins with %s, which is not trained before it", a.Name, a.Start)
		}
		before[a.Name] = true
	}
	for _, name := range []string{Reference, "scanner-b", "scanner-b-tuned", "both-scanners"} {
		if !before[name] {
			t.Errorf("arm %s is missing", name)
		}
	}
	if s.wants("organ") || !s.wants("scanner") {
		t.Error("the tests are of other groups than the arms")
	}
}

// The same patients keep their split whatever scanner images them: two scanners' cohorts never leak into each other.
func TestFewerPatientsAreTheFirstOnes(t *testing.T) {
	var planes []*data.Plane
	for _, p := range []string{"p001", "p002", "p003"} {
		for _, name := range []string{"base", "mid"} {
			planes = append(planes, &data.Plane{Patient: p, Name: name})
		}
	}
	if got := firstPatients(planes, 2); len(got) != 4 || got[3].Patient != "p002" {
		t.Errorf("%d planes of two patients", len(got))
	}
	if got := firstPatients(planes, 0); len(got) != 6 {
		t.Errorf("%d planes of all patients", len(got))
	}
}

// Errors that really are Laplace with the predicted scale are covered as promised, before and after calibration; scales
// that are half of the truth are mended by the calibration.
func TestCalibrationMendsScalesThatAreTooSmall(t *testing.T) {
	draw := func(seed uint64, told float64) (p pixels) {
		rng := rand.New(rand.NewPCG(seed, 0))
		for range 20000 {
			scale := 1 + 4*rng.Float64()
			e := scale * rng.ExpFloat64()
			if rng.IntN(2) == 0 {
				e = -e
			}
			p.errors, p.scales = append(p.errors, e), append(p.scales, told*scale)
		}
		return p
	}
	for told, raw := range map[float64]float64{1: 0.9, 0.5: 1 - math.Sqrt(0.1)} {
		u := Uncertainty{Level: 0.9}
		u.measure(draw(1, told), draw(2, told))
		if math.Abs(u.Coverage-0.9) > 0.01 || math.Abs(u.RawCoverage-raw) > 0.01 {
			t.Errorf("scales told as %.1f of the truth: coverage %.3f (raw %.3f), expected 0.900 (%.3f)", told, u.Coverage, u.RawCoverage, raw)
		}
		if u.Rise() > 0 || len(u.ByUncertainty) < 10 {
			t.Errorf("taking away the most uncertain pixels raises the error by %.3f kPa", u.Rise())
		}
		if u.Rank < 0.2 {
			t.Errorf("scale and error correlate by %.2f only", u.Rank)
		}
	}
}

func TestReportSurvivesItsFile(t *testing.T) {
	auc := 0.7
	r := &Report{Base: "smoke", Patients: 12, Seed: 1, Rows: []Row{
		{Group: Reference, Name: Reference, Tests: Own, Note: "preset smoke", MAEKPa: 6.1, CI95: sswe.Interval{5, 7}, BestBaseline: "zone", BaselineKPa: 6.5, SSWEAUC: 0.6, SWEAUC: 0.8,
			SSWEAUCCI95: sswe.Interval{0.5, 0.7}, Baselines: []Baseline{{Name: "zone", MAEKPa: 6.5, CI95: sswe.Interval{5.9, 7.1}, Against: sswe.Difference{Mean: -0.4, CI95: sswe.Interval{-0.9, 0.1}}}}},
		{Group: "loss", Name: "loss-l2", Tests: Own, Note: "loss l2", MAEKPa: 6.2, Against: &sswe.Difference{Mean: 0.1, CI95: sswe.Interval{-0.2, 0.4}}},
	}, Scanners: Scanners{Networks: []LatentSpace{{Network: "preset smoke", X: []float64{1}, Y: []float64{2}, Group: []string{"a"}, TumourAUC: &auc}, {Network: "trained on both scanners"}}}}
	dir := t.TempDir()
	if err := r.save(dir); err != nil {
		t.Fatal(err)
	}
	again, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again.Markdown() != r.Markdown() || again.Rows[1].Against.Mean != 0.1 {
		t.Error("the report read is not the report written")
	}
	for _, word := range []string{"simulated", "loss l2", "+0.10 (-0.20 to +0.40)", "0.60 (0.80)", "0.60 (0.50 to 0.70)", "6.50 (5.90 to 7.10) | -0.40 (-0.90 to +0.10)"} {
		if !strings.Contains(r.Markdown(), word) {
			t.Errorf("followup.md lacks %q", word)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "followup.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "followup.json") {
		t.Errorf("a damaged report: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "go run . followup") {
		t.Errorf("no report: %v", err)
	}
}

// A stored arm is compared with each trivial predictor plane by plane: the mean difference is the difference of the means.
func TestAnArmIsComparedWithEachBaseline(t *testing.T) {
	planes := []sswe.PlaneError{{Patient: "a", Plane: "mid", MAEKPa: 4}, {Patient: "b", Plane: "mid", MAEKPa: 6}}
	r := &sswe.Result{Planes: planes, BaselineMAEKPa: map[string][]float64{"zone": {7, 5}, "median": {8, 8}}}
	got := baselines(sswe.Smoke(), r)
	if len(got) != 2 || got[0].Name != "median" || got[0].Against.Mean != -3 || got[1].Against.Mean != -1 {
		t.Errorf("%+v; want -3 kPa against the median and -1 against the zones", got)
	}
	if ci := got[0].Against.CI95; ci[0] != -4 || ci[1] != -2 {
		t.Errorf("interval %v of two patients at -4 and -2 kPa", ci)
	}
	if planes[0].MAEKPa != 4 {
		t.Error("the arm's own errors were overwritten")
	}
}

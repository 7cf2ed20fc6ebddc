package validation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elastography/data"
	"elastography/data/phantom"
)

// scanned is a cohort of six patients with a tumour each; grey says how bright tissue of that stiffness looks.
func scanned(t *testing.T, source string, grey func(kPa float64, rng *rand.Rand) float64) *data.Cohort {
	t.Helper()
	return scannedAs(t, "cohort", 0, source, grey)
}

// scannedAs has a name and patients of its own, who come with the seed.
func scannedAs(t *testing.T, name string, seed uint64, source string, grey func(kPa float64, rng *rand.Rand) float64) *data.Cohort {
	t.Helper()
	var planes []*data.Plane
	for k := range 6 {
		const h, w = 90, 120
		p := &data.Plane{Patient: fmt.Sprintf("p%03d", k), Name: "mid", Organ: "prostate", Scanner: "endfire-a", Source: source, MMPerPx: 0.35, ScaleMaxKPa: 70,
			Height: h, Width: w, BMode: make([]uint8, h*w), SWEKPa: make([]float32, h*w), Saturated: make([]bool, h*w), Confidence: make([]float32, h*w), Labels: make([]uint8, h*w)}
		rng := data.Stream(seed+uint64(k), "validation test")
		phase := rng.Float64()
		for i := range p.BMode {
			x, y := float64(i%w), float64(i/w)
			kPa := 25 + 6*math.Sin(x/11+6*phase)*math.Cos(y/13)
			if p.Labels[i] = phantom.LabelPZ; math.Hypot(x-30, y-45) < 20 {
				p.Labels[i], kPa = phantom.LabelFocus, kPa+15
			}
			p.SWEKPa[i], p.Confidence[i] = float32(kPa), 1
			p.BMode[i] = uint8(min(255, max(0, grey(kPa, rng))))
		}
		planes = append(planes, p)
	}
	dir := filepath.Join(t.TempDir(), name)
	c, err := data.Save(dir, planes, func(p string) data.Split {
		if p >= "p004" {
			return data.Test
		}
		return data.Train
	}, []data.FocusRow{{Patient: "p000", Focus: phantom.LabelFocus, Zone: "PZ", GradeGroup: 2, Gleason: "3+4", DiameterMM: 14}}, "# test\n")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func speckled(_ float64, rng *rand.Rand) float64 { return 120 + 25*rng.NormFloat64() }

func row(t *testing.T, p Part, words string) Row {
	t.Helper()
	for _, r := range p.Rows {
		if strings.Contains(r.Quantity, words) {
			return r
		}
	}
	t.Fatalf("no row of %q", words)
	return Row{}
}

func TestACohortWhoseStiffnessLeaksIntoTheEchoIsCaught(t *testing.T) {
	const words = "correlation of grey level and stiffness"
	honest, err := Options{Cohorts: []*data.Cohort{scanned(t, data.Simulated, speckled)}}.planes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	leaking, err := Options{Cohorts: []*data.Cohort{scanned(t, data.Simulated, func(kPa float64, rng *rand.Rand) float64 { return speckled(kPa, rng) + 3*(kPa-25) })}}.planes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r := row(t, honest, words); r.Verdict != Holds {
		t.Errorf("speckle alone: %s %s", r.Measured(), r.Verdict)
	}
	if r := row(t, leaking, words); r.Verdict != Fails {
		t.Errorf("stiffness in the grey level: %s %s", r.Measured(), r.Verdict)
	}
	// The leak here brightens tumours; a B-mode that tells them better or worse than published fails too.
	if r := row(t, leaking, "tumour AUC of B-mode, foci"); r.Verdict != Fails {
		t.Errorf("tumour AUC of B-mode %s %s", r.Measured(), r.Verdict)
	}
}

func TestAnImportedCohortGetsTheRowsThatItCan(t *testing.T) {
	c := scanned(t, data.Imported, speckled)
	var told []string
	r, err := Run(t.Context(), c.Dir, Options{Cohorts: []*data.Cohort{c}, Key: "test", OnStep: func(_, _ int, what string) { told = append(told, what) }})
	if err != nil {
		t.Fatal(err)
	}
	if r.Simulated || len(told) != 3 {
		t.Errorf("simulated %v, told %v; no scanner can be measured of an imported cohort", r.Simulated, told)
	}
	for words, verdict := range map[string]Verdict{"B-mode with another stiffness": NotMeasured, "Dice": "", "patients in both splits": Holds,
		"calcification": NotMeasured, "hypoechoic": NotMeasured} {
		if verdict == "" {
			continue
		}
		if got := row(t, r.Part, words); got.Verdict != verdict || verdict == NotMeasured && got.Note == "" {
			t.Errorf("%s: %s (%s), want %s", words, got.Verdict, got.Note, verdict)
		}
	}
	if err := r.Write(c.Dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"validation.json", "validation.md", "figures/validation-roc.png", "figures/validation-cohort.svg"} {
		if info, err := os.Stat(filepath.Join(c.Dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s is missing", name)
		}
	}
	text, err := os.ReadFile(filepath.Join(c.Dir, "validation.md"))
	if err != nil || strings.Contains(string(text), "**Simulated.**") || !strings.Contains(string(text), "needs true labels") {
		t.Errorf("validation.md (error %v):\n%s", err, text)
	}
	hold, judged, missing := r.Count(Holds), r.Count(Holds)+r.Count(Fails), r.Count(NotMeasured)
	if missing < 4 || !strings.HasPrefix(r.Summary(), fmt.Sprintf("%d of %d rows hold", hold, judged)) {
		t.Errorf("%d of %d hold, %d missing: %s", hold, judged, missing, r.Summary())
	}
}

func TestADamagedPlaneIsNamed(t *testing.T) {
	c := scanned(t, data.Imported, speckled)
	if err := os.Truncate(filepath.Join(c.Dir, "p002", "mid.npz"), 300); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), c.Dir, Options{Cohorts: []*data.Cohort{c}}); err == nil || !strings.Contains(err.Error(), "p002") {
		t.Errorf("error %v does not name the plane", err)
	}
}

// What one run has measured, the next takes over, unless the program or the cohort is another.
func TestAValidationGoesOnWhereItStopped(t *testing.T) {
	c, dir, calls := scanned(t, data.Imported, speckled), t.TempDir(), 0
	s := step{"cohort", "count", func(context.Context) (Part, error) {
		calls++
		return Part{Rows: []Row{judged("a", "kPa", 1, limits{0, 2}, "", "")}}, nil
	}}
	once := func(key string) Part {
		p, err := Options{Cohorts: []*data.Cohort{c}, Key: key}.part(t.Context(), dir, s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first, second := once("one"), once("one")
	if calls != 1 || first.Rows[0].Measured() != second.Rows[0].Measured() || second.Rows[0].Verdict != Holds {
		t.Errorf("%d measurements: %+v, then %+v", calls, first, second)
	}
	if once("two"); calls != 2 {
		t.Error("another program took over what it did not measure")
	}
	if err := os.WriteFile(filepath.Join(c.Dir, "foci.csv"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if once("two"); calls != 3 {
		t.Error("another cohort took over what was not measured on it")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, dir, Options{Cohorts: []*data.Cohort{c}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

// A simulated cohort is made again from its recipe; a changed byte of B-mode does not pass, in whichever cohort it is.
func TestStoredPlanesAreMadeAgain(t *testing.T) {
	simulated := func(seed uint64) *data.Cohort {
		r := data.Study()
		r.Patients, r.Test, r.Planes, r.Seed = 2, 1, 1, seed
		c, err := data.Simulate(t.Context(), filepath.Join(t.TempDir(), fmt.Sprint("seed", seed)), r, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c, other := simulated(2019), simulated(2020)
	measure := func(cohorts ...*data.Cohort) (changed, leaking Row) {
		p, err := Options{Cohorts: cohorts}.leakage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return row(t, p, "made again"), row(t, p, "stiffness seed is swapped")
	}
	if changed, leaking := measure(other, c); changed.Verdict != Holds || leaking.Verdict != Holds {
		t.Errorf("as simulated: %s and %s", changed.Verdict, leaking.Verdict)
	}
	var planes []*data.Plane
	for _, row := range c.Rows {
		p, err := c.Plane(row)
		if err != nil {
			t.Fatal(err)
		}
		planes = append(planes, p)
	}
	planes[1].BMode[len(planes[1].BMode)/2]++
	tampered, err := data.Save(c.Dir, planes, func(p string) data.Split { return map[bool]data.Split{true: data.Train, false: data.Test}[p == "p001"] }, c.Foci, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, cohorts := range [][]*data.Cohort{{tampered}, {other, tampered}} {
		if changed, _ := measure(cohorts...); changed.Verdict != Fails || *changed.Value != 1 {
			t.Errorf("with one grey level changed in one of %d cohorts: %s, %s", len(cohorts), changed.Measured(), changed.Verdict)
		}
	}
}

// Several cohorts are judged as one: the verdicts are those of all men, and no cohort's own value counts.
func TestSeveralCohortsAreJudgedAsOne(t *testing.T) {
	dim := func(_ float64, rng *rand.Rand) float64 { return 90 + 25*rng.NormFloat64() }
	cohorts := []*data.Cohort{scannedAs(t, "first", 0, data.Imported, speckled), scannedAs(t, "second", 100, data.Imported, dim)}
	dir := t.TempDir()
	r, err := Run(t.Context(), dir, Options{Cohorts: cohorts, Key: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Alone) != 2 || r.Alone[1].Cohort != "second" || r.Alone[1].Patients != 6 {
		t.Fatalf("single cohorts %+v", r.Alone)
	}
	pooled := row(t, r.Part, "tumour AUC of SWE, 5 mm squares")
	for k, one := range r.Alone {
		alone, err := Options{Cohorts: cohorts[k : k+1]}.planes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := row(t, alone, "tumour AUC of SWE, 5 mm squares")
		got := row(t, Part{Rows: one.Rows}, "tumour AUC of SWE, 5 mm squares")
		if *got.Value != *want.Value || *got.Value == *pooled.Value || want.Samples == pooled.Samples {
			t.Errorf("%s: %s of %s in the table, %s by itself, %s of %s as one", one.Cohort, got.Measured(), got.Samples, want.Measured(), pooled.Measured(), pooled.Samples)
		}
		if pooled.CI95[1]-pooled.CI95[0] >= want.CI95[1]-want.CI95[0] {
			t.Errorf("twelve men give the interval %v, the six of %s %v", pooled.CI95, one.Cohort, want.CI95)
		}
	}
	judgedRows := 0
	for _, row := range r.Rows {
		if row.Verdict == Holds || row.Verdict == Fails {
			judgedRows++
		}
	}
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "validation.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"# Validation: 2 prostate cohorts as one", "| SWE, squares, registered |", "| first | 6 |", "| second | 6 |", "| as one | 12 |",
		fmt.Sprintf("of %d rows hold", judgedRows)} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report does not say %q:\n%s", want, text)
		}
	}
	if _, err := Run(t.Context(), dir, Options{Cohorts: []*data.Cohort{cohorts[0], cohorts[0]}}); err == nil || !strings.Contains(err.Error(), "first") {
		t.Errorf("the same men twice: %v", err)
	}
}

// A value outside its target does not hold however wide its interval is; the row says where more patients would tell.
func TestAWideIntervalSavesNoRow(t *testing.T) {
	for _, c := range []struct {
		value, low, high float64
		want             Verdict
		reaches          bool
	}{{0.65, 0.5, 0.8, Holds, false}, {0.58, 0.49, 0.66, Fails, true}, {0.75, 0.69, 0.81, Fails, true}, {0.5, 0.4, 0.55, Fails, false}} {
		r := judged("tumour AUC", "", c.value, limits{0.6, 0.7}, "", "").interval([2]float64{c.low, c.high})
		if r.Verdict != c.want || strings.Contains(r.Note, "reaches the target") != c.reaches {
			t.Errorf("%.2f (%.2f to %.2f) against 0.60 to 0.70: %s, note %q", c.value, c.low, c.high, r.Verdict, r.Note)
		}
	}
}

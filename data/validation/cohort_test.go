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
	var planes []*data.Plane
	for k := range 6 {
		const h, w = 90, 120
		p := &data.Plane{Patient: fmt.Sprintf("p%03d", k), Name: "mid", Organ: "prostate", Scanner: "endfire-a", Source: source, MMPerPx: 0.35, ScaleMaxKPa: 70,
			Height: h, Width: w, BMode: make([]uint8, h*w), SWEKPa: make([]float32, h*w), Saturated: make([]bool, h*w), Confidence: make([]float32, h*w), Labels: make([]uint8, h*w)}
		rng := data.Stream(uint64(k), "validation test")
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
	dir := filepath.Join(t.TempDir(), "cohort")
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
	honest, err := Options{Cohort: scanned(t, data.Simulated, speckled)}.planes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	leaking, err := Options{Cohort: scanned(t, data.Simulated, func(kPa float64, rng *rand.Rand) float64 { return speckled(kPa, rng) + 3*(kPa-25) })}.planes(t.Context())
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
	r, err := Run(t.Context(), c.Dir, Options{Cohort: c, Key: "test", OnStep: func(_, _ int, what string) { told = append(told, what) }})
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
	if _, err := Run(t.Context(), c.Dir, Options{Cohort: c}); err == nil || !strings.Contains(err.Error(), "p002") {
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
		p, err := Options{Cohort: c, Key: key}.part(t.Context(), dir, s)
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
	if _, err := Run(ctx, dir, Options{Cohort: c}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

// A simulated cohort is made again from its recipe; a changed byte of B-mode does not pass.
func TestStoredPlanesAreMadeAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cohort")
	r := data.Study()
	r.Patients, r.Test, r.Planes = 2, 1, 1
	c, err := data.Simulate(t.Context(), dir, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	measure := func(c *data.Cohort) (changed, leaking Row) {
		p, err := Options{Cohort: c}.leakage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return row(t, p, "made again"), row(t, p, "stiffness seed is swapped")
	}
	if changed, leaking := measure(c); changed.Verdict != Holds || leaking.Verdict != Holds {
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
	tampered, err := data.Save(dir, planes, func(p string) data.Split { return map[bool]data.Split{true: data.Train, false: data.Test}[p == "p001"] }, c.Foci, "")
	if err != nil {
		t.Fatal(err)
	}
	if changed, _ := measure(tampered); changed.Verdict != Fails {
		t.Errorf("with one grey level changed: %s", changed.Verdict)
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

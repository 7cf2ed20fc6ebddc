package sswe

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elastography/data"
)

func predict(samples []*data.Sample, kPa func(s *data.Sample, i int) float32) []Prediction {
	out := make([]Prediction, len(samples))
	for k, s := range samples {
		out[k].KPa = make([]float32, s.Grid.Pixels())
		for i := range out[k].KPa {
			out[k].KPa[i] = kPa(s, i)
		}
	}
	return out
}

// score evaluates a prediction of simulated planes.
func score(c Config, training, test []*data.Sample, kPa func(s *data.Sample, i int) float32) (*Result, error) {
	return Evaluate(c, Evidence{Training: training, Test: test, Predictions: predict(test, kPa), Simulated: true})
}

func TestAPerfectPredictionHasNoErrorAndFullSkill(t *testing.T) {
	c := toy()
	training, test := toyPlanes(c, 6, "fit"), toyPlanes(c, 4, "held")
	r, err := score(c, training, test, func(s *data.Sample, i int) float32 { return s.TargetKPa[i] })
	if err != nil {
		t.Fatal(err)
	}
	m := r.Metrics
	if m.MAEKPa.Mean != 0 || m.Skill != 1 || math.Abs(m.Fit.Slope-1) > 1e-9 || m.AUC.SWE.AUC != m.AUC.SSWE.AUC || m.AUC.Loss.Mean != 0 {
		t.Errorf("MAE %v, skill %v, slope %v, AUC %v and %v", m.MAEKPa.Mean, m.Skill, m.Fit.Slope, m.AUC.SWE.AUC, m.AUC.SSWE.AUC)
	}
	if !m.Simulated || m.NPatients != 4 || m.NPlanes != 4 {
		t.Errorf("simulated %v, %d patients, %d planes", m.Simulated, m.NPatients, m.NPlanes)
	}
}

// The cohort's median is itself a baseline: predicting it has its error and, at most, no skill.
func TestTheMedianPredictionIsTheMedianBaseline(t *testing.T) {
	c := toy()
	training, test := toyPlanes(c, 6, "fit"), toyPlanes(c, 4, "held")
	median := float32(medianKPa(training))
	r, err := score(c, training, test, func(*data.Sample, int) float32 { return median })
	if err != nil {
		t.Fatal(err)
	}
	if m := r.Metrics; m.MAEKPa.Mean != m.Baselines["median"].MAEKPa || m.Skill > 0 || math.Abs(m.Fit.Slope) > 1e-9 {
		t.Errorf("MAE %v, baseline %v, skill %v, slope %v", m.MAEKPa.Mean, m.Baselines["median"].MAEKPa, m.Skill, m.Fit.Slope)
	}
	if m := r.Metrics; m.AUC.SSWE.AUC != 0.5 {
		t.Errorf("a constant separates tumour from benign with AUC %v", m.AUC.SSWE.AUC)
	}
}

// A known error has a known summary: +2 kPa everywhere, except where saturation makes it no error.
func TestErrorsOfAKnownOffset(t *testing.T) {
	c := toy()
	training, test := toyPlanes(c, 6, "fit"), toyPlanes(c, 3, "held")
	for _, s := range test {
		for i := range s.Saturated {
			s.Saturated[i] = s.Mask[i] && s.TargetKPa[i] > 45
		}
	}
	r, err := score(c, training, test, func(s *data.Sample, i int) float32 { return s.TargetKPa[i] + 2 })
	if err != nil {
		t.Fatal(err)
	}
	for k, s := range test {
		wrong, n := 0, 0
		for i, valid := range s.Mask {
			if valid {
				n++
				if !s.Saturated[i] {
					wrong++
				}
			}
		}
		if want := 2 * float64(wrong) / float64(n); math.Abs(r.Planes[k].MAEKPa-want) > 1e-5 || math.Abs(r.Planes[k].BiasKPa-want) > 1e-5 {
			t.Errorf("plane %s: MAE %v and bias %v, expected %v", s.ID(), r.Planes[k].MAEKPa, r.Planes[k].BiasKPa, want)
		}
	}
}

func TestEvaluationRefusesALeakAndASinglePatient(t *testing.T) {
	c := toy()
	training, test := toyPlanes(c, 4, "fit"), toyPlanes(c, 3, "held")
	exact := func(s *data.Sample, i int) float32 { return s.TargetKPa[i] }
	if _, err := score(c, append(training, test[0]), test, exact); !errors.Is(err, data.ErrLeak) || !strings.Contains(err.Error(), test[0].Patient) {
		t.Errorf("a leaked patient: error %v", err)
	}
	if _, err := score(c, training, test[:1], exact); err == nil || !strings.Contains(err.Error(), "one test patient") {
		t.Errorf("one patient: error %v", err)
	}
}

func TestBootstrapCoversTheMeanOfPatients(t *testing.T) {
	covered := 0
	const trials, patients = 200, 20
	for trial := range trials {
		rng := stream(uint64(trial), "coverage")
		values := make([]float64, patients)
		for i := range values {
			values[i] = 5 + rng.NormFloat64()
		}
		e, _ := newResampling(uint64(trial), patients, 400).ratio(values, slices.Repeat([]float64{1}, patients))
		if e.CI95[0] <= 5 && 5 <= e.CI95[1] {
			covered++
		}
	}
	if share := float64(covered) / trials; share < 0.88 || share > 0.98 {
		t.Errorf("95 %% intervals covered the truth in %.0f %% of trials", 100*share)
	}
}

func TestARunReadsBackWhatWasWritten(t *testing.T) {
	c := toy()
	training, test := toyPlanes(c, 6, "fit"), toyPlanes(c, 3, "held")
	predictions := predict(test, func(s *data.Sample, i int) float32 { return s.TargetKPa[i] + float32(i%3) })
	r, err := Evaluate(c, Evidence{Training: training, Test: test, Predictions: predictions, Simulated: true})
	if err != nil {
		t.Fatal(err)
	}
	run := Run{Dir: t.TempDir()}
	history := []Epoch{{Epoch: 1, Step: 2, TrainMAEKPa: 7.5, ValMAEKPa: -1, LearningRate: 1e-3}}
	if err := errors.Join(run.SaveConfig(c), run.SaveHistory(history), run.SaveResult(r, test, predictions)); err != nil {
		t.Fatal(err)
	}
	again, pairs, err := run.Result()
	if err != nil {
		t.Fatal(err)
	}
	if again.Metrics.MAEKPa != r.Metrics.MAEKPa || len(again.Tiles) != len(r.Tiles) || again.Curves["sswe"].AUC != r.Curves["sswe"].AUC {
		t.Errorf("read back MAE %+v, %d tiles; written %+v, %d", again.Metrics.MAEKPa, len(again.Tiles), r.Metrics.MAEKPa, len(r.Tiles))
	}
	for name, errors := range r.BaselineMAEKPa {
		for k, want := range errors {
			if got := again.BaselineMAEKPa[name]; len(got) != len(errors) || math.Abs(got[k]-want) > 1e-6 {
				t.Fatalf("read back errors %v of baseline %s; written %v", got, name, errors)
			}
		}
	}
	if len(pairs) != 3 || pairs[1].ID() != test[1].ID() || pairs[1].SSWEKPa[5] != predictions[1].KPa[5] {
		t.Error("the stored predictions are not those written")
	}
	if h, err := run.History(); err != nil || len(h) != 1 || h[0] != history[0] {
		t.Errorf("history %v, error %v", h, err)
	}
	if err := errors.Join(run.LinkCohort("a"), run.LinkCohort("a")); err != nil || filepath.Base(run.CohortDir()) != "a" {
		t.Errorf("cohort %s, error %v", run.CohortDir(), err)
	}
	if err := run.LinkCohort("b"); err == nil || !strings.Contains(err.Error(), "another --out") {
		t.Errorf("another cohort in the same folder: error %v", err)
	}
	other := c
	other.Seed++
	if err := run.SaveConfig(other); err == nil || !strings.Contains(err.Error(), "another --out") {
		t.Errorf("another configuration in the same folder: error %v", err)
	}
}

// An oracle that is the target is perfect, the blurred ones are worse the wider they blur, and a control is a row beside
// the network.
func TestThePredictorTableHoldsBaselinesOraclesAndControls(t *testing.T) {
	c := toy()
	training, test := toyPlanes(c, 6, "fit"), toyPlanes(c, 4, "held")
	e := Evidence{Training: training, Test: test, Simulated: true, TrueKPa: map[string][]float32{},
		Predictions: predict(test, func(s *data.Sample, i int) float32 { return s.TargetKPa[i] + 3 }),
		Controls:    map[string][]Prediction{"shuffled pairs": predict(test, func(*data.Sample, int) float32 { return 50 })}}
	for _, s := range test {
		e.TrueKPa[s.ID()] = s.TargetKPa
	}
	r, err := Evaluate(c, e)
	if err != nil {
		t.Fatal(err)
	}
	mae := map[string]float64{}
	for _, p := range r.Metrics.Predictors {
		mae[p.Kind+" "+p.Name] = p.MAEKPa.Value
	}
	if mae["oracle true stiffness of the tissue"] != 0 || math.Abs(mae["network sSWE network"]-3) > 1e-5 {
		t.Errorf("table %v", mae)
	}
	if a, b, c := mae["oracle target blurred to 2 mm"], mae["oracle target blurred to 5 mm"], mae["oracle target blurred to 10 mm"]; !(0 < a && a < b && b < c) {
		t.Errorf("blurring by 2, 5, 10 mm costs %v, %v, %v kPa", a, b, c)
	}
	if !(mae["control shuffled pairs"] > mae["baseline median"]) {
		t.Errorf("table %v", mae)
	}
	if len(r.Metrics.Baselines) != 4 || r.Metrics.Predictors[0].Kind != KindNetwork {
		t.Errorf("%d baselines, first row %q", len(r.Metrics.Baselines), r.Metrics.Predictors[0].Name)
	}
}

// Every level says the same of a constant offset, and Bland and Altman's limits close around it.
func TestAnOffsetIsTheBiasAtEveryLevel(t *testing.T) {
	c := toy()
	r, err := score(c, toyPlanes(c, 6, "fit"), toyPlanes(c, 4, "held"), func(s *data.Sample, i int) float32 { return s.TargetKPa[i] - 4 })
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"bias": -4, "mean absolute error": 4, "root mean squared error": 4, "Pearson correlation": 1, "Spearman correlation": 1, "calibration slope": 1}
	for _, l := range r.Metrics.Levels {
		w, known := want[l.Name]
		if !known {
			continue
		}
		for _, at := range []*Level{l.Pixel, l.Plane, l.Patient} {
			if at == nil || math.Abs(at.Value-w) > 1e-4 || math.Abs(at.CI95[0]-w) > 1e-4 || math.Abs(at.CI95[1]-w) > 1e-4 {
				t.Errorf("%s: %+v, expected %v", l.Name, at, w)
			}
		}
		delete(want, l.Name)
	}
	if len(want) > 0 {
		t.Errorf("there is no %v", want)
	}
	for _, a := range []Agreement{r.Metrics.BlandAltman, r.Metrics.BlandAltmanPatients} {
		if math.Abs(a.LowerKPa+4) > 1e-4 || math.Abs(a.UpperKPa+4) > 1e-4 {
			t.Errorf("limits %+v", a)
		}
	}
}

// Both images are scored on the same tiles: a synthetic image that shows tumours soft loses all that SWE finds, and the
// lesions say so with their sign. With true labels the same planes are scored again.
func TestTumoursAreScoredInBothImagesAndUnderBothLabellings(t *testing.T) {
	c := toy()
	training, test := toyPlanes(c, 6, "fit"), toyPlanes(c, 6, "held")
	var foci []data.FocusRow
	for k, s := range test {
		s.LabelsTrue = slices.Clone(s.Labels)
		foci = append(foci, data.FocusRow{Patient: s.Patient, Focus: 10, GradeGroup: 1 + k%2})
	}
	r, err := Evaluate(c, Evidence{Training: training, Test: test, Foci: foci, Simulated: true,
		Predictions: predict(test, func(s *data.Sample, i int) float32 { return 70 - s.TargetKPa[i] })})
	if err != nil {
		t.Fatal(err)
	}
	m := r.Metrics
	if m.AUC == nil || m.AUCTrue == nil || math.Abs(m.AUC.SWE.AUC+m.AUC.SSWE.AUC-1) > 1e-9 || m.AUC.SWE.AUC < 0.9 {
		t.Fatalf("areas %+v", m.AUC)
	}
	if m.AUC.LossP == nil || *m.AUC.LossP > 0.01 || m.AUC.SWE.AtOwn == nil || *m.AUC.SWE.AtOwn == m.AUC.SWE.AtClinical {
		t.Errorf("p %v, own cut %+v", m.AUC.LossP, m.AUC.SWE.AtOwn)
	}
	if m.AUCTrue.SWE != m.AUC.SWE && m.AUCTrue.SWE.AUC != m.AUC.SWE.AUC {
		t.Errorf("equal labels give %v and %v", m.AUC.SWE.AUC, m.AUCTrue.SWE.AUC)
	}
	l := m.Lesions
	if l == nil || !(l.SWE.ContrastKPa.Value > 10) || math.Abs(l.SWE.ContrastKPa.Value+l.SSWE.ContrastKPa.Value) > 1e-4 ||
		math.Abs(l.ContrastErrorKPa.Value+2*l.SWE.ContrastKPa.Value) > 1e-4 ||
		math.Abs(l.SWE.CNR.Value-l.SSWE.CNR.Value) > 1e-4 || len(l.ByGrade) != 2 || l.ByGrade[0].Count+l.ByGrade[1].Count != l.Count {
		t.Errorf("lesions %+v", l)
	}
	grades := map[string]int{}
	for _, g := range m.ByGrade {
		grades[g.Group] = g.Pixels
	}
	if grades["benign"] == 0 || grades["ISUP 1"] == 0 || grades["ISUP 2"] == 0 || grades["ISUP 3"] != 0 {
		t.Errorf("pixels by grade %v", grades)
	}
	if len(m.Overlaps) != 5 || m.Overlaps[0].Dice.Value > 0.5 {
		t.Errorf("overlaps %+v", m.Overlaps)
	}
}

// What is written for people names every predictor and says that it is simulated.
func TestTheWrittenTableIsWhole(t *testing.T) {
	c := toy()
	r, err := score(c, toyPlanes(c, 6, "fit"), toyPlanes(c, 4, "held"), func(s *data.Sample, i int) float32 { return s.TargetKPa[i] })
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"text": r.Metrics.Text(), "markdown": r.Metrics.Markdown()} {
		for _, word := range []string{"SIMULATED", "baseline median", "oracle target blurred to 5 mm", "Lin's concordance", "SSIM", "as registered", "at the limit", "Wilson"} {
			if (word == "at the limit") == strings.Contains(text, word) { // no toy pixel is saturated
				t.Errorf("%s: %q", name, word)
			}
		}
		if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Errorf("%s holds a number that is none:\n%s", name, text)
		}
	}
	for _, table := range r.Metrics.Tables() {
		for _, row := range table.Rows {
			if len(row) != len(table.Header) {
				t.Errorf("%s: a row of %d cells below %d headings", table.Title, len(row), len(table.Header))
			}
		}
	}
}

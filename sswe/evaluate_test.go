package sswe

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

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

func TestAPerfectPredictionHasNoErrorAndFullSkill(t *testing.T) {
	c := toy()
	training, test := toyPlanes(c, 6, "fit"), toyPlanes(c, 4, "held")
	r, err := Evaluate(c, training, test, predict(test, func(s *data.Sample, i int) float32 { return s.TargetKPa[i] }), true)
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
	r, err := Evaluate(c, training, test, predict(test, func(*data.Sample, int) float32 { return median }), true)
	if err != nil {
		t.Fatal(err)
	}
	if m := r.Metrics; m.MAEKPa.Mean != m.Baselines["median"].MAEKPa || m.Skill > 0 || m.Fit.Slope != 0 {
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
	r, err := Evaluate(c, training, test, predict(test, func(s *data.Sample, i int) float32 { return s.TargetKPa[i] + 2 }), true)
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
	if _, err := Evaluate(c, append(training, test[0]), test, predict(test, exact), true); !errors.Is(err, data.ErrLeak) || !strings.Contains(err.Error(), test[0].Patient) {
		t.Errorf("a leaked patient: error %v", err)
	}
	if _, err := Evaluate(c, training, test[:1], predict(test[:1], exact), true); err == nil || !strings.Contains(err.Error(), "one test patient") {
		t.Errorf("one patient: error %v", err)
	}
}

// Counting pairs: 8 of 9 in the right order and one tie.
func TestROCAreaCountsPairs(t *testing.T) {
	c, ok := roc([]float64{1, 2, 3, 3, 4, 5}, []bool{false, false, true, false, true, true})
	if !ok || math.Abs(c.AUC-8.5/9) > 1e-12 {
		t.Errorf("AUC %v, expected %v", c.AUC, 8.5/9)
	}
	if _, ok := roc([]float64{1, 2}, []bool{true, true}); ok {
		t.Error("a curve without benign regions")
	}
}

// The area under the curve is the share of (tumour, benign) pairs in the right order, ties counting half.
func TestROCAreaIsTheMannWhitneyStatistic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scores := rapid.SliceOfN(rapid.Float64Range(0, 5), 2, 30).Draw(t, "scores")
		tumour := make([]bool, len(scores))
		for i := range scores {
			scores[i] = math.Round(scores[i]) // many ties
			tumour[i] = rapid.Bool().Draw(t, "tumour")
		}
		c, ok := roc(scores, tumour)
		if !ok {
			return
		}
		var right, pairs float64
		for i := range scores {
			for j := range scores {
				if tumour[i] && !tumour[j] {
					pairs++
					switch {
					case scores[i] > scores[j]:
						right++
					case scores[i] == scores[j]:
						right += 0.5
					}
				}
			}
		}
		if math.Abs(c.AUC-right/pairs) > 1e-9 {
			t.Fatalf("AUC %v, pairs say %v", c.AUC, right/pairs)
		}
	})
}

func TestBootstrapCoversTheMeanOfPatients(t *testing.T) {
	covered := 0
	const trials, patients = 200, 20
	for trial := range trials {
		rng := stream(uint64(trial), "coverage")
		values := make([]float64, patients)
		byPatient := make([][]int, patients)
		for i := range values {
			values[i], byPatient[i] = 5+rng.NormFloat64(), []int{i}
		}
		ci := bootstrap(uint64(trial), patients, 400, func(chosen []int) (float64, bool) { return meanOf(values, byPatient, chosen) })
		if ci[0] <= 5 && 5 <= ci[1] {
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
	r, err := Evaluate(c, training, test, predictions, true)
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

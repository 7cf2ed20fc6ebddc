package sswe

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elastography/data"
)

// files are the results of a cross-validation as stored.
func files(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	for _, name := range []string{"metrics.json", "metrics.csv", "folds.csv", "crossvalidation.md", "predictions/cv03_mid.npz"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// Every patient is drawn once, by a network and baselines that have not seen him, and the pooled result is of all.
func TestACrossValidationDrawsEachPatientByANetworkThatHasNotSeenHim(t *testing.T) {
	c := toy()
	planes := toyPlanes(c, 7, "cv")
	cv := CrossValidation{Backend: backend, Config: c, Dir: t.TempDir(), Folds: 3, Origin: Origin{Organ: "prostate", Simulated: true}}
	result, folds, err := cv.Run(t.Context(), planes)
	if err != nil {
		t.Fatal(err)
	}
	m := result.Metrics
	if m.NPatients != 7 || m.NPlanes != 7 || m.Folds != 3 || !m.Simulated {
		t.Errorf("%d patients, %d planes, %d folds, simulated %v", m.NPatients, m.NPlanes, m.Folds, m.Simulated)
	}
	if m.MAEKPa.CI95[0] >= m.MAEKPa.Mean || m.MAEKPa.CI95[1] <= m.MAEKPa.Mean {
		t.Errorf("pooled interval %v around %v", m.MAEKPa.CI95, m.MAEKPa.Mean)
	}
	for f, fold := range folds {
		model, err := Load(backend, filepath.Join(cv.Dir, "folds", []string{"01", "02", "03"}[f]))
		if err != nil {
			t.Fatal(err)
		}
		var left, kept []*data.Sample
		for _, s := range planes {
			if slices.Contains(fold.Patients, s.Patient) {
				left = append(left, s)
			} else {
				kept = append(kept, s)
			}
		}
		if model.Origin.Patients != len(kept) {
			t.Errorf("fold %d: its network was trained on %d patients, %d were kept", f+1, model.Origin.Patients, len(kept))
		}
		predictions, err := model.Predict(left)
		if err != nil {
			t.Fatal(err)
		}
		if mae := MeanAbsoluteError(left, predictions); math.Abs(mae-fold.MAEKPa.Value) > 1e-4 || fold.Planes != len(left) {
			t.Errorf("fold %d: %d planes, MAE %.4f kPa, its own network says %.4f", f+1, fold.Planes, fold.MAEKPa.Value, mae)
		}
		k := slices.IndexFunc(result.Planes, func(p PlaneError) bool { return p.Patient == left[0].Patient })
		if want := planeError(left[0], fitBaselines(kept)[0].predict(left[0])).MAEKPa; math.Abs(result.BaselineMAEKPa["median"][k]-want) > 1e-9 {
			t.Errorf("fold %d: the baseline's error is %v, that of one learned from the patients kept %v", f+1, result.BaselineMAEKPa["median"][k], want)
		}
	}
}

func TestAStoppedCrossValidationGoesOnToTheSameBytes(t *testing.T) {
	c := toy()
	planes := toyPlanes(c, 6, "cv")
	finish := func(dir string) ([]byte, int) {
		t.Helper()
		trained := 0
		cv := CrossValidation{Backend: backend, Config: c, Dir: dir, Folds: 3, OnFold: func(int, int, []string) { trained++ }}
		if _, _, err := cv.Run(t.Context(), planes); err != nil {
			t.Fatal(err)
		}
		return files(t, dir), trained
	}
	undisturbed, _ := finish(t.TempDir())
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	stopped := CrossValidation{Backend: backend, Config: c, Dir: dir, Folds: 3, OnStep: func(fold, step, _ int, _ float64) {
		if fold == 2 && step == 1 {
			cancel()
		}
	}}
	if _, _, err := stopped.Run(ctx, planes); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "fold 2 of 3") {
		t.Fatalf("error %v", err)
	}
	resumed, trained := finish(dir)
	if trained != 2 {
		t.Errorf("after one finished fold %d were trained, expected 2", trained)
	}
	if !bytes.Equal(resumed, undisturbed) {
		t.Error("stopped and resumed, the result differs from an undisturbed one")
	}
	if again, trained := finish(dir); trained != 0 || !bytes.Equal(again, undisturbed) {
		t.Errorf("finished, it trained %d folds again or wrote something else", trained)
	}
	for what, other := range map[string]CrossValidation{"other folds": {Backend: backend, Config: c, Dir: dir, Folds: 2}, "other patients": {Backend: backend, Config: c, Dir: dir, Folds: 3}} {
		p := planes
		if what == "other patients" {
			p = toyPlanes(c, 7, "cv")
		}
		if _, _, err := other.Run(t.Context(), p); err == nil || !strings.Contains(err.Error(), "use another --out") {
			t.Errorf("%s in the same folder: error %v", what, err)
		}
	}
}

func TestLeaveOnePatientOutHasAFoldForEach(t *testing.T) {
	c := toy()
	c.Training.Epochs = 1
	cv := CrossValidation{Backend: backend, Config: c, Dir: t.TempDir()}
	result, folds, err := cv.Run(t.Context(), toyPlanes(c, 4, "cv"))
	if err != nil {
		t.Fatal(err)
	}
	if len(folds) != 4 || len(folds[0].Patients) != 1 || result.Metrics.Folds != 4 {
		t.Errorf("%d folds of 4 patients: %+v", len(folds), folds)
	}
	text := FoldTable(folds, result.Metrics).Text()
	if strings.Count(text, "cv0") != 4 || strings.Count(text, " to ") < 3 {
		t.Errorf("the table lacks a patient, or the pooled interval:\n%s", text)
	}
	if _, _, err := (&CrossValidation{Backend: backend, Config: c, Dir: t.TempDir(), Folds: 5}).Run(t.Context(), toyPlanes(c, 4, "cv")); err == nil || !strings.Contains(err.Error(), "5 folds of 4 patients") {
		t.Errorf("error %v", err)
	}
}

// A fold whose own training planes hold one of its test patients would be a leak.
func TestFoldsThatLeakAreRefused(t *testing.T) {
	c := toy()
	planes := toyPlanes(c, 4, "cv")
	fold := func(training, test []*data.Sample) Evidence {
		return Evidence{Training: training, Test: test, Predictions: predict(test, func(s *data.Sample, i int) float32 { return s.TargetKPa[i] })}
	}
	if _, err := EvaluateFolds(c, []Evidence{fold(planes[2:], planes[:2]), fold(planes[:2], planes[2:])}); err != nil {
		t.Errorf("folds apart: %v", err)
	}
	if _, err := EvaluateFolds(c, []Evidence{fold(planes[2:], planes[:2]), fold(planes[:3], planes[2:])}); !errors.Is(err, data.ErrLeak) {
		t.Errorf("error %v", err)
	}
}

package sswe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"

	"elastography/data"
	"elastography/data/npz"
)

// CrossValidation trains one network for each fold of the patients, without them, and lets it draw them: every patient
// is a test patient once. It is for cohorts too small to spare test patients; with one patient a fold it is
// leave-one-patient-out.
//
// Dir is a Run of the pooled result; the folds' own runs are in its folder "folds". Stopped at any moment and run again,
// it goes on with what is missing.
type CrossValidation struct {
	Backend compute.Backend
	Config  Config
	Dir     string
	Folds   int    // 2 to the number of patients; 0 leaves one patient out at a time
	Origin  Origin // of all planes; each fold's network counts its own
	Start   string // see Trainer

	Foci    []data.FocusRow      // grades of the tumour foci
	TrueKPa map[string][]float32 // see Evidence

	OnFold func(fold, folds int, left []string)         // called before each fold, from 1; may be nil
	OnStep func(fold, step, steps int, lossKPa float64) // may be nil
}

// dealing is folds.json: who is left out when. It is written first, so that a resumed cross-validation deals no other way.
type dealing struct {
	Folds [][]string `json:"folds"`
}

// FoldError is one fold's part of the pooled result, kPa.
type FoldError struct {
	Fold     int // from 1
	Patients []string
	Planes   int
	MAEKPa   Estimate // the interval is over the fold's patients; none of one patient
	BiasKPa  float64  // mean over planes
	Best     Estimate // the pooled best baseline, learned from the fold's training planes
}

// Run does what is missing, writes the pooled result with its predictions, folds.csv and crossvalidation.md into Dir,
// and returns it.
func (v *CrossValidation) Run(ctx context.Context, samples []*data.Sample) (*Result, []FoldError, error) {
	run := Run{Dir: v.Dir}
	if err := run.SaveConfig(v.Config); err != nil {
		return nil, nil, err
	}
	folds, err := v.deal(run, samples)
	if err != nil {
		return nil, nil, fmt.Errorf("cross-validate: %w", err)
	}
	evidence := make([]Evidence, len(folds))
	for k, left := range folds {
		if evidence[k], err = v.fold(ctx, k+1, left, len(folds), samples); err != nil {
			return nil, nil, fmt.Errorf("cross-validate, fold %d of %d: %w", k+1, len(folds), err)
		}
	}
	result, err := EvaluateFolds(v.Config, evidence)
	if err != nil {
		return nil, nil, fmt.Errorf("cross-validate: %w", err)
	}
	var test []*data.Sample
	var predictions []Prediction
	for _, e := range evidence {
		test, predictions = append(test, e.Test...), append(predictions, e.Predictions...)
	}
	table := foldErrors(v.Config, folds, result)
	if err := run.saveFolds(table, result.Metrics); err != nil {
		return nil, nil, err
	}
	return result, table, run.SaveResult(result, test, predictions)
}

// deal finds out who is left out when: as an earlier process wrote it, or afresh.
func (v *CrossValidation) deal(run Run, samples []*data.Sample) ([][]string, error) {
	k := v.Folds
	if k == 0 {
		k = len(patientNames(samples))
	}
	folds, err := Folds(samples, k, v.Config.Seed)
	if err != nil {
		return nil, err
	}
	var old dealing
	switch err := run.readJSON("folds.json", &old); {
	case errors.Is(err, ErrNotThere):
		return folds, run.writeJSON("folds.json", dealing{folds})
	case err != nil:
		return nil, err
	}
	if !slices.EqualFunc(old.Folds, folds, slices.Equal) {
		return nil, fmt.Errorf("%s holds %d folds of %d patients, now asked for %d of %d, or the patients differ; use another --out",
			run.Dir, len(old.Folds), len(slices.Concat(old.Folds...)), len(folds), len(slices.Concat(folds...)))
	}
	return folds, nil
}

// fold trains the network that has not seen the patients left out and lets it draw them, or finds that done.
func (v *CrossValidation) fold(ctx context.Context, number int, left []string, folds int, samples []*data.Sample) (Evidence, error) {
	e := Evidence{Simulated: v.Origin.Simulated, Foci: v.Foci, TrueKPa: map[string][]float32{}}
	for _, s := range samples {
		if !slices.Contains(left, s.Patient) {
			e.Training = append(e.Training, s)
			continue
		}
		e.Test = append(e.Test, s)
		if kPa := v.TrueKPa[s.ID()]; kPa != nil {
			e.TrueKPa[s.ID()] = kPa
		}
	}
	run := Run{Dir: filepath.Join(v.Dir, "folds", fmt.Sprintf("%02d", number))}
	if err := run.SaveConfig(v.Config); err != nil {
		return Evidence{}, err
	}
	t := Trainer{Backend: v.Backend, Config: v.Config, Dir: run.CheckpointDir(), Origin: v.Origin, Start: v.Start}
	t.Origin.Patients, t.Origin.Planes = len(patientNames(e.Training)), len(e.Training)
	if v.OnStep != nil {
		t.OnStep = func(step, steps int, lossKPa float64) { v.OnStep(number, step, steps, lossKPa) }
	}
	origin, err := t.origin()
	if err != nil {
		return Evidence{}, err
	}
	e.Simulated = e.Simulated || origin.AnySimulated()
	if err := origin.CheckUnseen(e.Test); err != nil {
		return Evidence{}, err
	}
	if _, finished := t.Finished(); finished {
		e.Predictions, err = run.PredictionsOf(e.Test)
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, npz.ErrDamaged) {
			return e, err
		}
	}
	if v.OnFold != nil {
		v.OnFold(number, folds, left)
	}
	model, err := t.Fit(ctx, run, e.Training)
	if err != nil {
		return Evidence{}, err
	}
	defer model.Close()
	if e.Predictions, err = model.Predict(e.Test); err != nil {
		return Evidence{}, err
	}
	for k, s := range e.Test {
		if err := run.savePrediction(s, e.Predictions[k].KPa); err != nil {
			return Evidence{}, fmt.Errorf("save prediction %s: %w", s.ID(), err)
		}
	}
	return e, nil
}

// patientNames lists the patients in order of their names.
func patientNames(samples []*data.Sample) []string {
	var patients []string
	for _, s := range samples {
		patients = append(patients, s.Patient)
	}
	slices.Sort(patients)
	return slices.Compact(patients)
}

// foldErrors splits the pooled result by fold.
func foldErrors(c Config, folds [][]string, r *Result) []FoldError {
	out := make([]FoldError, len(folds))
	best := r.BaselineMAEKPa[r.Metrics.Best]
	for f, patients := range folds {
		draws := newResampling(c.Seed, len(patients), c.Evaluation.BootstrapSamples)
		mae, baseline := newPerPatient(len(patients)), newPerPatient(len(patients))
		out[f] = FoldError{Fold: f + 1, Patients: patients}
		for k, p := range r.Planes {
			if i := slices.Index(patients, p.Patient); i >= 0 {
				mae.add(i, p.MAEKPa)
				baseline.add(i, best[k])
				out[f].Planes++
				out[f].BiasKPa += p.BiasKPa
			}
		}
		out[f].BiasKPa /= float64(out[f].Planes)
		out[f].MAEKPa, _ = mae.mean(draws)
		out[f].Best, _ = baseline.mean(draws)
	}
	return out
}

// FoldTable is a cross-validation fold by fold, as a reader sees it.
func FoldTable(folds []FoldError, m Metrics) Table {
	t := Table{Title: "Fold by fold", Header: []string{"fold", "patients", "planes", "MAE, kPa", "bias, kPa", m.Best + " baseline, kPa", "skill"}, Strong: -1,
		Note: "Intervals within a fold are over its own patients, and none where it has one. Networks of different folds share most of their training patients, " +
			"so that the pooled intervals, over patients, are somewhat too narrow (Bengio & Grandvalet, 2004)."}
	bias := 0.0
	for _, f := range folds {
		bias += f.BiasKPa * float64(f.Planes) / float64(m.NPlanes)
		t.Rows = append(t.Rows, []string{fmt.Sprint(f.Fold), strings.Join(f.Patients, " "), fmt.Sprint(f.Planes), f.MAEKPa.text(2),
			minus(fmt.Sprintf("%+.2f", f.BiasKPa)), f.Best.text(2), minus(fmt.Sprintf("%+.2f", 1-f.MAEKPa.Value/f.Best.Value))})
	}
	best := m.Baselines[m.Best]
	t.Rows = append(t.Rows, []string{"all", fmt.Sprint(m.NPatients), fmt.Sprint(m.NPlanes), Estimate{m.MAEKPa.Mean, m.MAEKPa.CI95}.text(2),
		minus(fmt.Sprintf("%+.2f", bias)), Estimate{best.MAEKPa, best.CI95}.text(2), Estimate{m.Skill, m.SkillCI95}.signed(2)})
	t.Strong = len(t.Rows) - 1
	return t
}

// saveFolds writes folds.csv and crossvalidation.md.
func (r Run) saveFolds(folds []FoldError, m Metrics) error {
	records := [][]string{{"fold", "patients", "planes", "mae_kpa", "low_kpa", "high_kpa", "bias_kpa", "best_baseline", "baseline_kpa"}}
	for _, f := range folds {
		records = append(records, []string{fmt.Sprint(f.Fold), strings.Join(f.Patients, " "), fmt.Sprint(f.Planes), number(f.MAEKPa.Value),
			number(f.MAEKPa.CI95[0]), number(f.MAEKPa.CI95[1]), number(f.BiasKPa), m.Best, number(f.Best.Value)})
	}
	if err := r.writeCSV("folds.csv", records); err != nil {
		return err
	}
	return r.write("crossvalidation.md", []byte("# Cross-validation\n\n"+m.source()+"\n"+FoldTable(folds, m).markdown()))
}

// Package followup is the study around the study: what P2 (Wildeboer et al., IEEE TUFFC 2020) adds to P1 (a second
// scanner, single B-mode acquisitions, a device without SWE, the thyroid, the latent space), and what neither could
// ask of fifty patients: ablations, seeds, controls, uncertainty, an adversarial peer.
//
// It owns the list of trainings and tests, their order, their folders and the one table that compares them. It never
// implements a network, a loss or a metric (package sswe) and never draws (plots/study).
//
// Everything here is simulated; the table says so.
package followup

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"

	"elastography/data"
	"elastography/sswe"
)

// Study is the whole follow-up in one folder. Stopped at any moment and run again, it goes on with what is missing.
type Study struct {
	Dir     string
	Base    sswe.Config // what each arm changes in one respect
	Recipe  data.Recipe // of the reference cohort
	Seeds   int         // cohorts and trainings of other seeds, the reference included
	Members int         // of the cross-validated ensemble; 0 leaves it out
	Groups  []string    // arms and tests of these groups alone, beside the reference; nil is all
	Backend compute.Backend

	// Say is told what begins, e.g. "arm 3 of 20: no skips"; Progress of steps or planes within it. Both may be nil.
	Say      func(what string)
	Progress func(done, total int)

	cohorts []*cohort // the one used last is the last
}

// Row is one line of the table: a network on a test set.
type Row struct {
	Group string `json:"group"` // what is varied, e.g. "loss"
	Name  string `json:"arm"`   // also its folder's name
	Tests string `json:"tests"` // what it is tested on
	Note  string `json:"note"`  // what is changed, in words

	MAEKPa        float64          `json:"mae_kpa"` // over planes
	CI95          sswe.Interval    `json:"ci95"`    // over patients
	BestBaseline  string           `json:"best_baseline"`
	BaselineKPa   float64          `json:"baseline_kpa"`
	Baselines     []Baseline       `json:"baselines"`
	Skill         float64          `json:"skill"`
	SkillCI95     sswe.Interval    `json:"skill_ci95"`
	SSWEAUC       float64          `json:"auc_sswe"` // tumour tiles; 0 without tumours
	SSWEAUCCI95   sswe.Interval    `json:"auc_sswe_ci95"`
	SWEAUC        float64          `json:"auc_swe"`
	SWEAUCCI95    sswe.Interval    `json:"auc_swe_ci95"`
	LesionBiasKPa float64          `json:"tumour_bias_kpa"`             // mean error within tumours: how much they are under-called
	Against       *sswe.Difference `json:"against_reference,omitempty"` // this arm's error minus the reference's on the same planes, kPa
}

// Baseline is a trivial predictor on a Row's test planes, and the row's error minus its, paired over patients.
type Baseline struct {
	Name    string          `json:"name"`
	MAEKPa  float64         `json:"mae_kpa"`
	CI95    sswe.Interval   `json:"ci95"`
	Against sswe.Difference `json:"network_minus_it"`
}

// Own is what a Row tests on where that is the arm's own test patients.
const Own = "own test patients"

// Run does what is missing of the study and returns its table.
func (s *Study) Run(ctx context.Context) (*Report, error) {
	arms := s.Arms()
	report := &Report{Base: s.Base.Preset, Patients: s.Recipe.Patients, Seed: s.Recipe.Seed}
	var reference *outcome
	for i, a := range arms {
		s.say("arm %d of %d: %s (%s)", i+1, len(arms), a.Name, a.Note)
		o, err := s.arm(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("follow-up, arm %s: %w", a.Name, err)
		}
		if reference == nil {
			reference = o
		}
		report.Rows = append(report.Rows, o.row(a, Own, reference))
		tests, err := s.abroad(ctx, a, o, reference)
		o.close()
		if err != nil {
			return nil, fmt.Errorf("follow-up, tests of arm %s: %w", a.Name, err)
		}
		report.Rows = append(report.Rows, tests...)
	}
	var err error
	if s.wants("scanner") {
		if report.Scanners, err = s.scanners(ctx); err != nil {
			return nil, fmt.Errorf("follow-up, latent space: %w", err)
		}
	}
	if s.Members > 0 {
		if report.Uncertainty, err = s.uncertainty(ctx); err != nil {
			return nil, fmt.Errorf("follow-up, uncertainty: %w", err)
		}
	}
	return report, report.save(s.Dir)
}

// wants tells whether a group is part of the study.
func (s *Study) wants(group string) bool {
	return s.Groups == nil || group == Reference || slices.Contains(s.Groups, group)
}

func (s *Study) say(format string, args ...any) {
	if s.Say != nil {
		s.Say(fmt.Sprintf(format, args...))
	}
}

// outcome is a trained and tested arm.
type outcome struct {
	result *sswe.Result
	load   func() (*sswe.Model, error)
	loaded *sswe.Model // when asked for: most arms only need their stored result
}

func (o *outcome) model() (*sswe.Model, error) {
	if o.loaded == nil {
		var err error
		if o.loaded, err = o.load(); err != nil {
			return nil, err
		}
	}
	return o.loaded, nil
}

// close frees the arm's network; its result stays.
func (o *outcome) close() {
	if o.loaded != nil {
		o.loaded.Close()
		o.loaded = nil
	}
}

// arm trains, tests and stores one arm, or finds it done.
func (s *Study) arm(ctx context.Context, a Arm) (*outcome, error) {
	run := TestRun(s.Dir, a.Name, Own)
	if err := run.SaveConfig(a.Config); err != nil {
		return nil, err
	}
	load := func() (*sswe.Model, error) { return sswe.Load(s.Backend, run.CheckpointDir()) }
	if _, err := run.Metrics(); err == nil {
		result, _, err := run.Result()
		if err != nil {
			return nil, err
		}
		return &outcome{result: result, load: load}, nil
	} else if !errors.Is(err, sswe.ErrNotThere) {
		return nil, err
	}
	training, test, err := s.samples(ctx, a)
	if err != nil {
		return nil, err
	}
	seen, err := a.seen(training)
	if err != nil {
		return nil, err
	}
	model, err := s.train(ctx, run, a, seen)
	if err != nil {
		return nil, err
	}
	shown := test
	if a.View == DepthOnly {
		shown = data.DepthOnly(test)
	}
	predictions, err := model.Predict(shown)
	if err != nil {
		return nil, err
	}
	result, err := s.evaluate(a, training, test, predictions)
	if err != nil {
		return nil, err
	}
	result.Metrics.Weights = model.Weights()
	return &outcome{result: result, load: load, loaded: model}, run.SaveResult(result, test, predictions)
}

// train fits an arm's network, or finds it fitted.
func (s *Study) train(ctx context.Context, run sswe.Run, a Arm, seen []*data.Sample) (*sswe.Model, error) {
	trainer := sswe.Trainer{Backend: s.Backend, Config: a.Config, Dir: run.CheckpointDir(), Origin: originOf(a, seen)}
	if a.Start != "" {
		trainer.Start = TestRun(s.Dir, a.Start, Own).CheckpointDir()
	}
	if s.Progress != nil {
		trainer.OnStep = func(step, steps int, _ float64) { s.Progress(step, steps) }
	}
	return trainer.Fit(ctx, run, seen)
}

func originOf(a Arm, samples []*data.Sample) sswe.Origin {
	patients := map[string]bool{}
	for _, s := range samples {
		patients[s.Patient] = true
	}
	o := sswe.Origin{Organ: a.Recipes[0].Organ, Simulated: true, Patients: len(patients), Planes: len(samples)}
	for _, r := range a.Recipes {
		o.Scanners = append(o.Scanners, r.Scanner)
	}
	return o
}

// evaluate scores predictions of an arm's network; baselines and grades are its own cohort's.
func (s *Study) evaluate(a Arm, training, test []*data.Sample, predictions []sswe.Prediction) (*sswe.Result, error) {
	return sswe.Evaluate(a.Config, sswe.Evidence{Training: training, Test: test, Predictions: predictions, Simulated: true})
}

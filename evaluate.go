package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"elastography/data"
	"elastography/kernel/pjrt"
	"elastography/sswe"
)

type evaluateCommand struct {
	Run_        string            `arg:"" name:"run" help:"Run folder." type:"existingdir"`
	Cohort      string            `help:"Cohort folder; the run's own if not given." type:"path"`
	Control     map[string]string `help:"Evaluated run of a network trained on what can't work, on the same cohort and grid; may be given more than once." placeholder:"NAME=RUN"`
	OtherOrgan  bool              `help:"Evaluate on an organ that the model was not trained on (zero-shot)."`
	SkipDamaged bool              `help:"Leave damaged planes out instead of stopping."`
}

func (c evaluateCommand) Help() string {
	return "Example: go run . evaluate runs/reproduce --control shuffled=runs/shuffled\n\n" +
		"Prints the whole table and writes metrics.json, metrics.csv and evaluation.md into the run folder."
}

func (c evaluateCommand) Run(ctx context.Context) error {
	run := sswe.Run{Dir: c.Run_}
	config, err := run.Config()
	if err != nil {
		return err
	}
	if c.Cohort == "" {
		c.Cohort = run.CohortDir()
	}
	cohort, err := data.Open(c.Cohort)
	if err != nil {
		return err
	}
	training, test, origin, err := loadSamples(ctx, cohort, config, c.SkipDamaged)
	if err != nil {
		return err
	}
	if _, err := pjrt.Use(ctx); err != nil {
		return err
	}
	e := evaluating{run: run, config: config, cohort: cohort, organ: origin.Organ, controls: c.Control, otherOrgan: c.OtherOrgan}
	if err := e.do(training, test); err != nil {
		return err
	}
	m, err := run.Metrics()
	if err != nil {
		return err
	}
	fmt.Print(m.Text())
	fmt.Printf("\nWritten: %s, metrics.csv and evaluation.md beside it\n", filepath.Join(run.Dir, "metrics.json"))
	return nil
}

// evaluate scores the run's finished model on the test planes of the run's cohort and stores predictions and metrics.
func evaluate(run sswe.Run, config sswe.Config, training, test []*data.Sample) error {
	cohort, err := data.Open(run.CohortDir())
	if err != nil {
		return err
	}
	return evaluating{run: run, config: config, cohort: cohort, organ: cohort.Rows[0].Organ}.do(training, test)
}

// evaluating is one evaluation of a run on a cohort.
type evaluating struct {
	run        sswe.Run
	config     sswe.Config
	cohort     *data.Cohort
	organ      string
	controls   map[string]string // run folders by name
	otherOrgan bool
}

func (e evaluating) do(training, test []*data.Sample) error {
	backend, err := sswe.OpenBackend()
	if err != nil {
		return err
	}
	defer backend.Finalize()
	model, err := sswe.Load(backend, e.run.CheckpointDir())
	if err != nil {
		return err
	}
	if err := sswe.CheckModel(model, e.config); err != nil {
		return fmt.Errorf("evaluate %s: %w", e.run.Dir, err)
	}
	if !e.otherOrgan {
		if err := sswe.CheckOrgan(model.Origin, e.organ); err != nil {
			return fmt.Errorf("evaluate %s: %w, or pass --other-organ", e.run.Dir, err)
		}
	}
	if err := model.Origin.CheckUnseen(test); err != nil {
		return fmt.Errorf("evaluate %s: %w", e.run.Dir, err)
	}
	evidence := sswe.Evidence{Training: training, Test: test, Simulated: model.Origin.AnySimulated() || e.cohort.Simulated(), Foci: e.cohort.Foci}
	if evidence.Predictions, err = model.Predict(test); err != nil {
		return err
	}
	if evidence.TrainingPredictions, err = model.Predict(training); err != nil {
		return err
	}
	if evidence.TrueKPa, err = e.truth(test); err != nil {
		return err
	}
	if evidence.Controls, err = e.controlPredictions(test); err != nil {
		return err
	}
	result, err := sswe.Evaluate(e.config, evidence)
	if err != nil {
		return err
	}
	plugin, _, err := pjrt.Find()
	if err != nil {
		return err
	}
	result.Metrics.Backend = fmt.Sprintf("XLA: %s %s, PJRT API %s", plugin.Name, plugin.Version, plugin.PJRTAPI)
	result.Metrics.Weights = model.Weights()
	return e.run.SaveResult(result, test, evidence.Predictions)
}

// truth brings the tissue's true stiffness of simulated planes to the network's grid, for the oracle.
func (e evaluating) truth(test []*data.Sample) (map[string][]float32, error) {
	kPa := make(map[string][]float32)
	for _, s := range test {
		row := slices.IndexFunc(e.cohort.Rows, func(r data.Row) bool { return r.Patient == s.Patient && r.Plane == s.Plane })
		if row < 0 || e.cohort.Rows[row].Source != data.Simulated {
			continue
		}
		p, err := e.cohort.Plane(e.cohort.Rows[row])
		if err != nil {
			return nil, err
		}
		if p.ETrueKPa != nil {
			kPa[s.ID()] = sswe.TrueStiffness(p, e.config.Grid)
		}
	}
	return kPa, nil
}

// controlPredictions reads what the control runs drew of the same planes.
func (e evaluating) controlPredictions(test []*data.Sample) (map[string][]sswe.Prediction, error) {
	controls := make(map[string][]sswe.Prediction)
	for _, name := range slices.Sorted(maps.Keys(e.controls)) {
		list, err := sswe.Run{Dir: e.controls[name]}.PredictionsOf(test)
		if err != nil {
			return nil, fmt.Errorf("control %s: %w", name, err)
		}
		controls[name] = list
	}
	return controls, nil
}

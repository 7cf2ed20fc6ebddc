package main

import (
	"context"
	"fmt"

	"elastography/data"
	"elastography/kernel/pjrt"
	"elastography/sswe"
)

type evaluateCommand struct {
	Run_        string `arg:"" name:"run" help:"Run folder." type:"existingdir"`
	Cohort      string `help:"Cohort folder; the run's own if not given." type:"path"`
	SkipDamaged bool   `help:"Leave damaged planes out instead of stopping."`
}

func (c evaluateCommand) Help() string { return "Example: go run . evaluate runs/reproduce" }

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
	training, test, _, err := loadSamples(ctx, cohort, config, c.SkipDamaged)
	if err != nil {
		return err
	}
	if _, err := pjrt.Use(ctx); err != nil {
		return err
	}
	if err := evaluate(run, config, training, test); err != nil {
		return err
	}
	return printMetrics(run)
}

// evaluate scores the run's finished model on the test planes and stores predictions and metrics.
func evaluate(run sswe.Run, config sswe.Config, training, test []*data.Sample) error {
	backend, err := sswe.OpenBackend()
	if err != nil {
		return err
	}
	defer backend.Finalize()
	model, err := sswe.Load(backend, run.CheckpointDir())
	if err != nil {
		return err
	}
	predictions, err := model.Predict(test)
	if err != nil {
		return err
	}
	result, err := sswe.Evaluate(config, training, test, predictions, model.Origin.Simulated)
	if err != nil {
		return err
	}
	plugin, _, err := pjrt.Find()
	if err != nil {
		return err
	}
	result.Metrics.Backend = fmt.Sprintf("XLA: %s %s, PJRT API %s", plugin.Name, plugin.Version, plugin.PJRTAPI)
	result.Metrics.Weights = model.Weights()
	return run.SaveResult(result, test, predictions)
}

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"elastography/data"
	"elastography/sswe"
)

type crossvalidateCommand struct {
	Cohort string `help:"Cohort folder." required:"" type:"path"`
	Out    string `help:"Folder." required:"" type:"path"`
	Folds  int    `help:"Networks, each trained without its share of the patients; 0 leaves out one patient at a time." default:"5"`
	configFlags
	From        string `help:"Fine-tune: each network begins with the weights of this trained run, which must have seen none of these patients." type:"path" placeholder:"DIR"`
	KeepTest    bool   `help:"Leave the cohort's test patients out of it, for a final test."`
	SkipDamaged bool   `help:"Leave damaged planes out instead of stopping."`
}

func (c crossvalidateCommand) Help() string {
	return "Examples: go run . crossvalidate --cohort cohorts/ten --preset workshop --folds 5 --out runs/cv\n" +
		"          go run . crossvalidate --cohort cohorts/ten --preset workshop --folds 0 --out runs/leave-one-out\n\n" +
		"Every patient is drawn by a network that has not seen him; the result is the whole evaluation over all patients.\n" +
		"Stopped at any moment, the same command goes on with what is missing."
}

func (c crossvalidateCommand) Run(ctx context.Context) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	run := sswe.Run{Dir: c.Out}
	unlock, err := lockRun(run.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := run.SaveConfig(config); err != nil {
		return err
	}
	cohort, err := data.Open(c.Cohort)
	if err != nil {
		return err
	}
	samples, test, origin, err := loadSamples(ctx, cohort, config, c.SkipDamaged)
	if err != nil {
		return err
	}
	if !c.KeepTest {
		samples = slices.Concat(samples, test)
	}
	if err := run.LinkCohort(c.Cohort); err != nil {
		return err
	}
	truth, err := evaluating{config: config, cohort: cohort}.truth(samples)
	if err != nil {
		return err
	}
	backend, err := openXLA(ctx)
	if err != nil {
		return err
	}
	defer backend.Finalize()
	bar := newBar(-1, "")
	v := sswe.CrossValidation{Backend: backend, Config: config, Dir: c.Out, Folds: c.Folds, Origin: origin, Start: c.From, Foci: cohort.Foci, TrueKPa: truth,
		OnFold: func(fold, folds int, left []string) {
			fmt.Fprintf(os.Stderr, "\n[%d/%d] without %s\n", fold, folds, strings.Join(left, " "))
			bar = newBar(-1, "")
		},
		OnStep: func(_, step, steps int, lossKPa float64) { showStep(bar, step, steps, lossKPa) }}
	result, folds, err := v.Run(ctx, samples)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s%s\nWritten: %s/crossvalidation.md, folds.csv, evaluation.md, metrics.json and metrics.csv\n",
		result.Metrics.Text(), sswe.FoldTable(folds, result.Metrics).Text(), c.Out)
	return nil
}

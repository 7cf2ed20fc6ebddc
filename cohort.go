package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"elastography/data"
	"elastography/sswe"
)

type cohortCommand struct {
	Out      string `help:"Folder for the cohort." required:"" type:"path"`
	Organ    string `help:"Organ." default:"prostate"`
	Scanner  string `help:"Scanner preset." default:"endfire-a"`
	Patients int    `help:"Patients, the test patients included." default:"50"`
	Test     int    `help:"Test patients; 0 takes a fifth, at least two." default:"0"`
	Seed     uint64 `help:"Seed." default:"2019"`
}

func (c cohortCommand) Help() string {
	return "Example: go run . cohort --patients 10 --out cohorts/ten\n\nStopped at any moment, the same command goes on with the planes that are missing."
}

func (c cohortCommand) Run(ctx context.Context) error {
	r := data.Recipe{Organ: c.Organ, Scanner: c.Scanner, Patients: c.Patients, Test: c.Test, Seed: c.Seed}
	if r.Test == 0 {
		r.Test = min(max(2, r.Patients/5), r.Patients-1) // two at least: an interval over patients needs them
	}
	cohort, err := simulate(ctx, c.Out, r)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d simulated planes of %d patients, %d foci; see card.md there\n", c.Out, len(cohort.Rows), r.Patients, len(cohort.Foci))
	return nil
}

// simulate makes or completes a cohort, with progress.
func simulate(ctx context.Context, dir string, r data.Recipe) (*data.Cohort, error) {
	bar := newBar(-1, "planes")
	return data.Simulate(ctx, dir, r, func(done, total int) {
		if bar.GetMax() != total {
			bar.ChangeMax(total)
		}
		_ = bar.Set(done)
	})
}

// loadSamples brings a cohort to the network's grid.
func loadSamples(ctx context.Context, c *data.Cohort, config sswe.Config, skipDamaged bool) (training, test []*data.Sample, o sswe.Origin, err error) {
	load := func(split data.Split) ([]*data.Sample, error) {
		planes, skipped, err := c.Load(ctx, split, skipDamaged)
		for _, damage := range skipped {
			fmt.Fprintln(os.Stderr, "left out:", damage)
		}
		samples := make([]*data.Sample, len(planes))
		for i, p := range planes {
			samples[i] = p.Resample(config.Grid)
		}
		return samples, err
	}
	if training, err = load(data.Train); err != nil {
		return nil, nil, o, err
	}
	if test, err = load(data.Test); err != nil {
		return nil, nil, o, err
	}
	o = sswe.Origin{Organ: c.Rows[0].Organ, Simulated: c.Simulated(), Patients: len(c.Patients(data.Train)), Planes: len(training)}
	for _, r := range c.Rows {
		if r.Organ != o.Organ {
			return nil, nil, o, fmt.Errorf("cohort %s: %s shows %s, %s shows %s; one model is trained for one organ", c.Dir, c.Rows[0].ID(), o.Organ, r.ID(), r.Organ)
		}
		if r.Split == data.Train && !slices.Contains(o.Scanners, r.Scanner) {
			o.Scanners = append(o.Scanners, r.Scanner)
		}
	}
	return training, test, o, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"elastography/data"
	"elastography/sswe"
)

type cohortCommand struct {
	Out      string `help:"Folder for the cohort." required:"" type:"path"`
	Organ    string `help:"prostate or thyroid." default:"prostate"`
	Scanner  string `help:"Scanner preset; the organ's usual one if left out." placeholder:"NAME"`
	Patients int    `help:"Patients, the test patients included." default:"50"`
	Planes   int    `help:"Planes of each patient, nearest the organ's middle; 0 takes all." default:"0"`
	Test     int    `help:"Test patients; 0 takes a fifth, at least two." default:"0"`
	Seed     uint64 `help:"Seed." default:"2019"`
	Cohorts  int    `help:"Cohorts of this and the following seeds, each in a folder of its own below --out." default:"1"`
	Validate bool   `help:"Measure scanner and cohort against the published figures, into validation.md; several cohorts below --out are judged as one. What is there already is taken as it is."`
}

func (c cohortCommand) Help() string {
	return "Examples: go run . cohort --patients 10 --out cohorts/ten\n          go run . cohort --validate --out cohorts/ten\n" +
		"          go run . cohort --validate --cohorts 5 --out cohorts/pool\n\n" +
		"Stopped at any moment, the same command goes on with what is missing. With --validate the exit code is 1 if a row does not hold."
}

func (c cohortCommand) Run(ctx context.Context) error {
	if c.Validate && c.asksForNothing() {
		switch cohorts, err := data.OpenPool(c.Out); {
		case err == nil:
			return validate(ctx, c.Out, cohorts)
		case !errors.Is(err, data.ErrNoCohort):
			return err
		}
	}
	dirs, err := c.dirs()
	if err != nil {
		return err
	}
	var cohorts []*data.Cohort
	for k, dir := range dirs {
		r := c.recipe()
		r.Seed += uint64(k)
		cohort, err := simulate(ctx, dir, r)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %d simulated planes of %d patients, %d foci; see card.md there\n", dir, len(cohort.Rows), r.Patients, len(cohort.Foci))
		cohorts = append(cohorts, cohort)
	}
	if c.Validate {
		return validate(ctx, c.Out, cohorts)
	}
	return nil
}

// dirs are the folders of the cohorts: --out itself, or one a seed below it.
func (c cohortCommand) dirs() ([]string, error) {
	switch {
	case c.Cohorts == 1:
		return []string{c.Out}, nil
	case c.Cohorts < 1 || c.Cohorts > 1000:
		return nil, fmt.Errorf("cohort: --cohorts is %d; give 1 to 1000", c.Cohorts)
	case c.Seed > math.MaxUint64-uint64(c.Cohorts):
		return nil, fmt.Errorf("cohort: there are no %d seeds from %d on; give a smaller --seed", c.Cohorts, c.Seed)
	}
	if _, err := os.Stat(filepath.Join(c.Out, "recipe.json")); err == nil {
		return nil, fmt.Errorf("cohort: %s holds a cohort itself; choose another folder for several", c.Out)
	}
	var dirs []string
	for k := range c.Cohorts {
		dirs = append(dirs, filepath.Join(c.Out, fmt.Sprintf("seed-%d", c.Seed+uint64(k))))
	}
	return dirs, nil
}

// recipe is what the flags ask for, of the first cohort.
func (c cohortCommand) recipe() data.Recipe {
	r := data.Recipe{Organ: c.Organ, Scanner: c.Scanner, Patients: c.Patients, Planes: c.Planes, Test: c.Test, Seed: c.Seed}
	if r.Scanner == "" {
		if r.Scanner = data.Study().Scanner; c.Organ == "thyroid" {
			r.Scanner = data.ThyroidStudy().Scanner
		}
	}
	if r.Test == 0 {
		r.Test = min(max(2, r.Patients/5), r.Patients-1) // two at least: an interval over patients needs them
	}
	return r
}

// asksForNothing tells whether no flag but the folder says which cohorts are meant.
func (c cohortCommand) asksForNothing() bool {
	return c.Organ == "prostate" && c.Scanner == "" && c.Patients == 50 && c.Planes == 0 && c.Test == 0 && c.Seed == 2019 && c.Cohorts == 1
}

// simulate makes or completes a cohort, with progress.
func simulate(ctx context.Context, dir string, r data.Recipe) (*data.Cohort, error) {
	bar := newBar(-1, fmt.Sprintf("planes of seed %d", r.Seed))
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
		samples, skipped, err := c.Samples(ctx, split, config.Grid, skipDamaged)
		for _, damage := range skipped {
			fmt.Fprintln(os.Stderr, "left out:", damage)
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

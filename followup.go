package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"elastography/data"
	"elastography/kernel/pjrt"
	"elastography/plots/study"
	"elastography/sswe"
	"elastography/sswe/followup"
)

type followupCommand struct {
	Preset   string `help:"Preset that each training changes in one respect." default:"workshop" placeholder:"NAME"`
	Out      string `help:"Folder." default:"runs/followup" type:"path"`
	Seed     uint64 `help:"First seed of cohorts and trainings; 0 takes the preset's."`
	Patients int    `help:"Patients of each cohort." default:"50"`
	Test     int    `help:"Of them test patients." default:"10"`
	Seeds    int    `help:"Cohorts and trainings of other seeds, the first included." default:"5"`
	Members  int    `help:"Members of the cross-validated ensemble; 0 leaves it out." default:"5"`

	Groups []string `help:"Only what varies these beside the reference, e.g. scanner,organ; the ensemble as --members says." placeholder:"GROUP"`
}

func (c followupCommand) Help() string {
	return "Example: go run . followup --preset smoke --patients 6 --test 2 --seeds 2 --members 2 --out runs/trial\n\n" +
		"Second scanner, single acquisitions, a device without SWE, thyroid, latent space, ablations, controls, seeds, uncertainty: some 30 trainings, a night on a laptop.\n" +
		"Stopped at any moment, the same command goes on with what is missing."
}

func (c followupCommand) Run(ctx context.Context) error {
	config, err := sswe.Named(c.Preset)
	if err != nil {
		return err
	}
	if c.Seed != 0 {
		config.Seed = c.Seed
	}
	recipe := data.Study()
	recipe.Seed, recipe.Patients, recipe.Test = config.Seed, c.Patients, c.Test
	if err := recipe.Validate(); err != nil {
		return err
	}
	unlock, err := lockRun(c.Out)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := pjrt.Use(ctx); err != nil {
		return err
	}
	backend, err := sswe.OpenBackend()
	if err != nil {
		return err
	}
	defer backend.Finalize()
	began, bar := time.Now(), newBar(-1, "")
	s := followup.Study{Dir: c.Out, Base: config, Recipe: recipe, Seeds: c.Seeds, Members: c.Members, Groups: c.Groups, Backend: backend,
		Say: func(what string) {
			fmt.Fprintf(os.Stderr, "\n[%s] %s\n", time.Since(began).Round(time.Second), what)
			bar = newBar(-1, "")
		},
		Progress: func(done, total int) {
			if bar.GetMax() != total {
				bar.ChangeMax(total)
			}
			_ = bar.Set(done)
		}}
	report, err := s.Run(ctx)
	if err != nil {
		return err
	}
	if err := study.Followup(report, c.Out); err != nil {
		return err
	}
	fmt.Printf("%s\n%s and figures beside it (%s)\n", report.Markdown(), filepath.Join(c.Out, "followup.md"), time.Since(began).Round(time.Second))
	return nil
}

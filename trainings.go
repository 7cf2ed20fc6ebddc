package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"

	"elastography/data/archive"
	"elastography/kernel/pjrt"
	"elastography/sswe"
	"elastography/sswe/trainings"
)

type trainingsCommand struct {
	Cohort    string `help:"Cohort folder." required:"" type:"path"`
	Out       string `help:"Folder for the runs." required:"" type:"path"`
	Folds     int    `help:"Networks that each leave out a share of the patients and are tested on it." default:"0"`
	KeepTest  bool   `help:"Folds leave the cohort's test patients out altogether."`
	Members   int    `help:"Networks of other seeds, tested on the test patients." default:"0"`
	Ablations bool   `help:"The follow-up study's changes of network, loss and training."`
	configFlags
}

func (c trainingsCommand) Help() string {
	return "Example: go run . trainings --cohort cohorts/ten --preset workshop --folds 5 --ablations --out runs/many\n\n" +
		"One after the other on this machine; beam/ does the same on many (docs/scale.md), and either goes on with what the other began.\n" +
		"A stopped training goes on from its checkpoint, a finished one is not trained again."
}

func (c trainingsCommand) Run(ctx context.Context) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	rows, err := trainings.Plan{Cohort: c.Cohort, Config: config, Folds: c.Folds, KeepTest: c.KeepTest, Members: c.Members, Ablations: c.Ablations}.Rows()
	if err != nil {
		return err
	}
	folders := archive.Folders{Out: c.Out, State: c.Out + "-private"}
	bar := newBar(len(rows), "trainings")
	_, err = archive.Run(ctx, slices.Values(rows), archive.Options{Folders: folders, Workers: 1, // XLA takes all cores for one
		Done: func(archive.Record, archive.Counters) { _ = bar.Add(1) }}, trainings.Work(folders.State, openXLA))
	if err != nil {
		return err
	}
	table, err := trainings.Conclude(folders)
	fmt.Println(table)
	return err
}

func openXLA(ctx context.Context) (compute.Backend, error) {
	if _, err := pjrt.Use(ctx); err != nil {
		return nil, err
	}
	return sswe.OpenBackend()
}

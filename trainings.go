package main

import (
	"context"
	"fmt"
	"os"
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
	Preset    string `help:"paper, workshop or smoke." default:"paper" placeholder:"NAME"`
	Seed      uint64 `help:"Seed; 0 takes the preset's."`
	Epochs    int    `help:"Epochs of each training; 0 takes the preset's."`
}

func (c trainingsCommand) Help() string {
	return "Example: go run . trainings --cohort cohorts/ten --preset workshop --folds 5 --ablations --out runs/many\n\n" +
		"One after the other on this machine; beam/ does the same on many (docs/scale.md), and either goes on with what the other began.\n" +
		"A stopped training goes on from its checkpoint, a finished one is not trained again."
}

func (c trainingsCommand) Run(ctx context.Context) error {
	config, err := sswe.Named(c.Preset)
	if err != nil {
		return err
	}
	if c.Seed != 0 {
		config.Seed = c.Seed
	}
	if c.Epochs != 0 {
		config.Training.Epochs = c.Epochs
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
	table, err := trainings.WriteTable(folders)
	if err != nil {
		return err
	}
	fmt.Println(table)
	letters, err := folders.DeadLetters()
	if err != nil {
		return err
	}
	if len(letters) > 0 {
		path, err := folders.WriteDeadLetters(letters)
		if err != nil {
			return err
		}
		return fmt.Errorf("trainings: %d failed; reasons and remedies are in %s", len(letters), path)
	}
	return os.RemoveAll(trainings.Unfinished(folders.State))
}

func openXLA(ctx context.Context) (compute.Backend, error) {
	if _, err := pjrt.Use(ctx); err != nil {
		return nil, err
	}
	return sswe.OpenBackend()
}

package main

import (
	"context"
	"fmt"

	"elastography/beam/engine"
	"elastography/data/archive"
	"elastography/sswe"
	"elastography/sswe/trainings"
)

type trainCommand struct {
	Cohort    string `help:"Cohort folder, on storage that all workers share." required:"" type:"path"`
	Out       string `help:"Folder for the runs, on storage that all workers share." required:"" type:"path"`
	Folds     int    `help:"Networks that each leave out a share of the patients and are tested on it." default:"0"`
	KeepTest  bool   `help:"Folds leave the cohort's test patients out altogether."`
	Members   int    `help:"Networks of other seeds, tested on the test patients." default:"0"`
	Ablations bool   `help:"The follow-up study's changes of network, loss and training."`
	Preset    string `help:"paper, workshop or smoke." default:"paper" placeholder:"NAME"`
	Seed      uint64 `help:"Seed; 0 takes the preset's."`
	Epochs    int    `help:"Epochs of each training; 0 takes the preset's."`
	Plan      bool   `help:"Only write the shards, for the shard command."`
	runFlags
}

func (c trainCommand) Help() string {
	return "Example: go run . train --cohort /mnt/cohorts/mine --folds 5 --ablations --out /mnt/runs/mine --runner flink --endpoint 127.0.0.1:8099\n\n" +
		"Every training is one element and leaves a whole run folder. A killed one goes on from its checkpoint.\n" +
		"`go run . crossvalidate` of the main program, on the same folder, seed and folds, pools the folds that are done."
}

func (c trainCommand) Run(ctx context.Context) error {
	if here, err := c.alone(ctx); !here || err != nil {
		return err
	}
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
	if c.Workers == 0 {
		c.Workers = 1 // XLA takes all cores for one
	}
	if c.Shards == 0 {
		c.Shards = len(rows)
	}
	folders := archive.Folders{Out: c.Out, State: c.Out + "-private"}
	job := engine.Job{Kind: "train", Out: folders.Out, State: folders.State, Workers: c.Workers}
	if c.Plan {
		return plan(job, len(rows), func() ([]string, error) { return engine.WriteShards(ctx, job, rows, c.Shards) })
	}
	if err := c.run(ctx, job, rows); err != nil {
		return err
	}
	table, err := trainings.Conclude(folders)
	fmt.Println(table)
	return err
}

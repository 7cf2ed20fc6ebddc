package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"elastography/beam/engine"
	"elastography/data"
	"elastography/data/dicom"
	"elastography/data/scan/intake"
)

type importCommand struct {
	Paths       []string          `arg:"" name:"path" help:"Scanner exports, folders of them, patterns, or CSV tables, on storage that all workers share."`
	Out         string            `help:"Folder for the cohort, on storage that all workers share." required:"" type:"path"`
	Key         string            `help:"File of the pseudonym key; made when absent. Default: in the private folder beside the cohort." type:"path" placeholder:"FILE"`
	PatientFrom string            `help:"Whose a file is when neither DICOM nor a table says: folder, file, or name:REGEXP with a group." default:"folder" placeholder:"RULE"`
	Split       float64           `help:"Share of the patients for testing." default:"0.2"`
	Set         map[string]string `help:"Of every file, by the table's columns, such as organ=prostate;mm_per_px=0.1." placeholder:"COLUMN=VALUE"`
	Plan        bool              `help:"Only write the shards, for the shard command."`
	runFlags
}

func (c importCommand) Help() string {
	return "Example: go run . import /mnt/archive --organ prostate --out /mnt/cohorts/mine --runner flink --endpoint 127.0.0.1:8099\n\n" +
		"The cohort is the main program's, byte for byte; either can go on with what the other began."
}

func (c importCommand) Run(ctx context.Context) error {
	if here, err := c.alone(ctx); !here || err != nil {
		return err
	}
	if !(c.Split >= 0 && c.Split <= 1) {
		return fmt.Errorf("import: --split %g is no share from 0 to 1", c.Split)
	}
	rule, err := intake.ParsePatientRule(c.PatientFrom)
	if err != nil {
		return err
	}
	list, err := intake.List(c.Paths, rule)
	if err != nil {
		return err
	}
	importer := &intake.Importer{Out: c.Out, Private: intake.PrivateFolder(c.Out)}
	if c.Key == "" {
		c.Key = filepath.Join(importer.Private, "pseudonym.key")
	}
	if importer.Key, err = dicom.OpenKey(c.Key); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	if err := importer.Claim(); err != nil {
		return err
	}
	rows := importer.Rows(list.Items, intake.Defaults(c.Set))
	job := engine.Job{Kind: "import", Out: c.Out, State: importer.Private, KeyFile: c.Key, Workers: c.Workers}
	if c.Plan {
		return plan(job, len(rows), func() ([]string, error) { return engine.WriteShards(job, rows, c.Shards) })
	}
	if err := c.run(ctx, job, rows); err != nil {
		return err
	}
	s, err := importer.Seal(c.Split)
	if err != nil {
		return err
	}
	fmt.Printf("%d planes of %d patients in %s\n", s.Planes, s.Patients[data.Train]+s.Patients[data.Test], c.Out)
	if n := len(s.Refused); n > 0 {
		return fmt.Errorf("import: %d files refused; reasons and remedies are in %s", n, filepath.Join(importer.Private, "dead_letters.csv"))
	}
	return nil
}

// plan writes the shards and says where.
func plan(job engine.Job, rows int, write func() ([]string, error)) error {
	if err := errors.Join(os.MkdirAll(job.Out, 0o755), os.MkdirAll(job.State, 0o700)); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	shards, err := write()
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	fmt.Printf("%d rows in %d shards in %s\n", rows, len(shards), filepath.Dir(shards[0]))
	return nil
}

type shardCommand struct {
	Folder string `arg:"" help:"Of the shards, as import --plan printed it." type:"existingdir"`
	Index  int    `arg:"" help:"From 0: Slurm's array task, Kubernetes' completion index."`
}

func (c shardCommand) Run(ctx context.Context) error {
	r, err := engine.DoShard(ctx, filepath.Join(c.Folder, fmt.Sprintf("%05d.jsonl", c.Index)))
	if err != nil {
		return fmt.Errorf("shard %d: %w", c.Index, err)
	}
	fmt.Printf("shard %d: rows %d, computed %d, done before %d, refused %d\n", c.Index, r.Rows, r.Computed, r.Skipped, r.Refused)
	return nil
}

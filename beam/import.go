package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"elastography/beam/engine"
	"elastography/beam/storage"
	"elastography/data"
	"elastography/data/scan/intake"
)

type importCommand struct {
	Paths       []string          `arg:"" name:"path" help:"Scanner exports, folders of them, patterns, or CSV tables, on storage that all workers share; or URLs of files, with * in a name, such as gs://bucket/exports/*/*.png."`
	Out         string            `help:"Folder for the cohort, on storage that all workers share; or its URL." required:"" placeholder:"DIR"`
	Key         string            `help:"File of the pseudonym key; made when absent. Default: in the private folder beside the cohort. Must be given, and be there, when the cohort is a URL." placeholder:"FILE"`
	PatientFrom string            `help:"Whose a file is when neither DICOM nor a table says: folder, file, or name:REGEXP with a group." default:"folder" placeholder:"RULE"`
	Split       float64           `help:"Share of the patients for testing." default:"0.2"`
	Set         map[string]string `help:"Of every file, by the table's columns, such as organ=prostate;mm_per_px=0.1." placeholder:"COLUMN=VALUE"`
	Plan        bool              `help:"Only write the shards, for the shard command."`
	runFlags
}

func (c importCommand) Help() string {
	return "Example: go run . import /mnt/archive --set organ=prostate --out /mnt/cohorts/mine --runner flink --endpoint 127.0.0.1:8099\n\n" +
		"The cohort is the main program's, byte for byte; either can go on with what the other began.\n" +
		"On object storage (gs://, s3://) credentials are this machine's and the workers' own; none is taken in a name or handed on."
}

func (c importCommand) Run(ctx context.Context) (err error) {
	if here, err := c.alone(ctx); !here || err != nil {
		return err
	}
	if !(c.Split >= 0 && c.Split <= 1) {
		return fmt.Errorf("import: --split %g is no share from 0 to 1", c.Split)
	}
	if !storage.IsURL(c.Out) {
		if c.Out, err = filepath.Abs(c.Out); err != nil {
			return fmt.Errorf("import: %w", err)
		}
	}
	items, err := c.items(ctx)
	if err != nil {
		return err
	}
	desk, err := openDesk(ctx, c.Out, c.Key)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, desk.Close()) }()
	rows := desk.importer.Rows(items, intake.Defaults(c.Set))
	job := engine.Job{Kind: "import", Out: c.Out, State: desk.private, KeyFile: desk.key, Workers: c.Workers}
	if c.Plan {
		return plan(job, len(rows), func() ([]string, error) { return engine.WriteShards(ctx, job, rows, c.Shards) })
	}
	if err := c.run(ctx, job, rows); err != nil {
		return err
	}
	s, err := desk.seal(ctx, c.Split)
	if err != nil {
		return err
	}
	fmt.Printf("%d planes of %d patients in %s\n", s.Planes, s.Patients[data.Train]+s.Patients[data.Test], c.Out)
	if n := len(s.Refused); n > 0 {
		return fmt.Errorf("import: %d files refused; reasons and remedies are in %s", n, storage.Join(desk.private, "dead_letters.csv"))
	}
	return nil
}

// items lists what the arguments name.
func (c importCommand) items(ctx context.Context) ([]intake.Item, error) {
	rule, err := intake.ParsePatientRule(c.PatientFrom)
	if err != nil {
		return nil, err
	}
	var local []string
	var items []intake.Item
	for _, given := range c.Paths {
		if !storage.IsURL(given) {
			local = append(local, given)
			continue
		}
		if err := storage.Check(given); err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
		if strings.EqualFold(filepath.Ext(given), ".csv") {
			return nil, fmt.Errorf("import: %s: a table is read from a folder, not from object storage; copy it here", given)
		}
		files, err := storage.List(ctx, given)
		if err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("import: %s names no file; a folder needs a pattern, such as %s", given, storage.Join(given, "*.png"))
		}
		for _, file := range files {
			item, err := rule.Item(file)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
	}
	if len(local) > 0 || len(c.Paths) == 0 {
		list, err := intake.List(local, rule)
		if err != nil {
			return nil, err
		}
		items = append(items, list.Items...)
	}
	return items, nil
}

// plan writes the shards and says where.
func plan(job engine.Job, rows int, write func() ([]string, error)) error {
	if !storage.IsURL(job.Out) {
		if err := errors.Join(os.MkdirAll(job.Out, 0o755), os.MkdirAll(job.State, 0o700)); err != nil {
			return fmt.Errorf("plan: %w", err)
		}
	}
	shards, err := write()
	if err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	fmt.Printf("%d rows in %d shards in %s\n", rows, len(shards), strings.TrimSuffix(shards[0], "/"+filepath.Base(shards[0])))
	return nil
}

type shardCommand struct {
	Folder string `arg:"" help:"Of the shards, as --plan printed it."`
	Index  int    `arg:"" help:"From 0: Slurm's array task, Kubernetes' completion index."`
}

func (c shardCommand) Run(ctx context.Context) error {
	r, err := engine.DoShard(ctx, storage.Join(c.Folder, fmt.Sprintf("%05d.jsonl", c.Index)))
	if err != nil {
		return fmt.Errorf("shard %d: %w", c.Index, err)
	}
	fmt.Printf("shard %d: rows %d, computed %d, done before %d, refused %d\n", c.Index, r.Rows, r.Computed, r.Skipped, r.Refused)
	return nil
}

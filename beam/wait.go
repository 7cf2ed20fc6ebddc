package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"elastography/beam/engine"
	"elastography/data/archive"
)

type waitCommand struct {
	Rows  int           `help:"How many." default:"1000"`
	Each  time.Duration `help:"How long each lasts." default:"0s"`
	Group int           `help:"Rows of one patient." default:"10"`
	Out   string        `help:"Folder for the records, on storage that all workers share." required:"" type:"path"`
	runFlags
}

func (c waitCommand) Run(ctx context.Context) error {
	if c.Rows < 1 || c.Group < 1 || c.Each < 0 {
		return fmt.Errorf("wait: %d rows of %v, %d a patient: rows must be positive", c.Rows, c.Each, c.Group)
	}
	if here, err := c.alone(ctx); !here || err != nil {
		return err
	}
	rows := make([]archive.Row, c.Rows)
	for i := range rows {
		rows[i] = archive.Row{Key: fmt.Sprintf("row-%07d", i), Args: map[string]string{"patient": fmt.Sprint(i / c.Group)}}
	}
	return c.run(ctx, engine.Job{Kind: "wait", Out: filepath.Join(c.Out, "out"), State: filepath.Join(c.Out, "state"), Wait: c.Each}, rows)
}

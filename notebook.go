package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"elastography/kernel"
)

type notebookCommand struct {
	Run_ notebookRunCommand `cmd:"" name:"run" help:"Execute a notebook and write the executed copy."`
}

type notebookRunCommand struct {
	Notebook string            `arg:"" help:"The notebook." type:"existingfile"`
	Param    map[string]string `short:"p" help:"A new value for what the cell tagged \"parameters\" declares." placeholder:"NAME=VALUE"`
	Out      string            `help:"Executed copy; beside the notebook as NAME.executed.ipynb if not given." type:"path"`
	HTML     bool              `help:"Also write a self-contained page."`
	Timeout  time.Duration     `help:"For each cell." default:"10m"`
}

func (c notebookRunCommand) Help() string {
	return "Example: go run . notebook run notebooks/04_error_plotting.ipynb -p run=../runs/reproduce --html"
}

func (c notebookRunCommand) Run(ctx context.Context) error {
	env, err := setup(ctx)
	if err != nil {
		return err
	}
	if c.Out == "" {
		c.Out = strings.TrimSuffix(c.Notebook, ".ipynb") + ".executed.ipynb"
	}
	report, err := env.RunNotebook(ctx, c.Notebook, c.Out, kernel.RunOptions{Params: c.Param, CellTimeout: c.Timeout, HTML: c.HTML, Progress: os.Stderr})
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d cells in %s\n", c.Out, len(report.Cells), report.Duration.Round(time.Second))
	return nil
}

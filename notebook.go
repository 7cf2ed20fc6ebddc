package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"elastography/kernel"
)

type notebookCommand struct {
	Run_   notebookRunCommand    `cmd:"" name:"run" help:"Execute a notebook and write the executed copy."`
	Export notebookExportCommand `cmd:"" help:"Write a notebook as a plain Go program."`
	Check  notebookCheckCommand  `cmd:"" help:"Say what the form of notebooks lacks."`
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

type notebookExportCommand struct {
	Notebook string            `arg:"" help:"The notebook." type:"existingfile"`
	Program  string            `arg:"" help:"The Go file to write." type:"path"`
	Param    map[string]string `short:"p" help:"A new value for what the cell tagged \"parameters\" declares." placeholder:"NAME=VALUE"`
}

func (c notebookExportCommand) Help() string {
	return "Example: go run . notebook export notebooks/04_error_plotting.ipynb errors.go && cd notebooks && go run ../errors.go\n\n" +
		"The program prints what the notebook says and writes its figures into the folder figures beside it."
}

func (c notebookExportCommand) Run() error {
	if filepath.Ext(c.Program) != ".go" {
		return fmt.Errorf("%s is no name of a Go program; let it end in .go", c.Program)
	}
	source, err := kernel.ExportNotebook(c.Notebook, c.Param)
	if err != nil {
		return fmt.Errorf("export %s: %w", c.Notebook, err)
	}
	if err := renameio.WriteFile(c.Program, source, 0o644); err != nil {
		return fmt.Errorf("export %s: %w", c.Notebook, err)
	}
	fmt.Printf("%s: run it in %s with `go run %s`\n", c.Program, filepath.Dir(c.Notebook), c.Program)
	return nil
}

type notebookCheckCommand struct {
	Notebooks []string `arg:"" optional:"" help:"Notebooks; all of the checkout's if none is given." type:"existingfile"`
}

func (c notebookCheckCommand) Help() string {
	return "Example: go run . notebook check\n\nClean outputs, small files, short cells that stand alone, links, parameters, and what a lesson tells its reader."
}

func (c notebookCheckCommand) Run() error {
	if len(c.Notebooks) == 0 {
		root, err := kernel.FindRoot(".")
		if err != nil {
			return err
		}
		if c.Notebooks, err = kernel.Notebooks(root); err != nil {
			return err
		}
	}
	found := 0
	for _, name := range c.Notebooks {
		problems, err := kernel.CheckNotebook(name)
		if err != nil {
			return err
		}
		for _, p := range problems {
			fmt.Printf("%s: %s\n", name, p)
		}
		found += len(problems)
	}
	if found > 0 {
		return errors.New("the notebooks lack what is listed above")
	}
	fmt.Printf("%d notebooks are in form\n", len(c.Notebooks))
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"elastography/kernel"
	"elastography/sswe"
)

type labCommand struct {
	Port    int  `help:"First port to try." default:"8888"`
	Browser bool `help:"Open a browser." default:"true" negatable:""`
}

func (c labCommand) Run(ctx context.Context) error {
	env, err := setup(ctx)
	if err != nil {
		return err
	}
	return env.Lab(ctx, kernel.LabOptions{Port: c.Port, Browser: c.Browser})
}

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

func setup(ctx context.Context) (*kernel.Env, error) {
	root, err := kernel.FindRoot(".")
	if err != nil {
		return nil, err
	}
	return kernel.Setup(ctx, root, os.Stderr)
}

// notebook executes one notebook of the study into dir, unless that was done after the evaluation.
func (r *reproduction) notebook(ctx context.Context, name, dir string, params map[string]string) error {
	out := filepath.Join(dir, name+".ipynb")
	if newer(out, filepath.Join(r.run.Dir, "metrics.json")) {
		return nil
	}
	source := filepath.Join(r.root, "notebooks", name+".ipynb")
	report, err := r.env.RunNotebook(ctx, source, out, kernel.RunOptions{Params: params,
		CellTimeout: 10 * time.Minute, HTML: true})
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "      %s: %d cells in %s\n", name, len(report.Cells), report.Duration.Round(time.Second))
	return nil
}

// newer tells whether file is there and was written after than.
func newer(file, than string) bool {
	a, err1 := os.Stat(file)
	b, err2 := os.Stat(than)
	return err1 == nil && err2 == nil && a.ModTime().After(b.ModTime())
}

type doctorCommand struct {
	JSON bool `help:"Machine-readable."`
}

func (c doctorCommand) Run(ctx context.Context) error {
	root, err := kernel.FindRoot(".")
	if err != nil {
		return err
	}
	report := kernel.Doctor(ctx, root)
	check := kernel.Check{Name: "XLA backend", Level: kernel.LevelOK}
	if backend, err := sswe.OpenBackend(); err != nil {
		check.Level, check.Found, check.Remedy = kernel.LevelFail, err.Error(), "run `go run . reproduce --preset smoke`, which fetches the plugin"
	} else {
		check.Found = strings.TrimSpace(backend.Description())
		backend.Finalize()
	}
	report.Add(check)
	if c.JSON {
		b, err := report.JSON()
		if err != nil {
			return err
		}
		fmt.Println(string(b))
	} else {
		report.Write(os.Stdout)
	}
	if !report.OK() {
		return errors.New("not all is well; see the remedies above")
	}
	return nil
}

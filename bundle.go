package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/dustin/go-humanize"

	"elastography/sswe"
)

type bundleCommand struct {
	Out  string `help:"The archive to write." default:"sswe-bundle.tar.gz" type:"path"`
	Run_ string `name:"run" help:"Finished run to take along, with its cohort: notebooks read it. A small one keeps the archive small." default:"runs/reproduce" type:"path"`
}

func (c bundleCommand) Help() string {
	return "Example: go run . reproduce --preset smoke --out runs/smoke && go run . bundle --run runs/smoke --out stick/sswe.tar.gz\n\n" +
		"On a machine of the same kind with Go, a C compiler and Python 3.10 to 3.13, but no network: tar xzf sswe.tar.gz && sh setup.sh"
}

func (c bundleCommand) Run(ctx context.Context) error {
	run := sswe.Run{Dir: c.Run_}
	if _, err := run.Metrics(); err != nil {
		return fmt.Errorf("%w; `go run . reproduce --preset smoke --out runs/smoke` makes a small run for --run", err)
	}
	env, err := setup(ctx)
	if err != nil {
		return err
	}
	with := map[string]string{"runs/reproduce": c.Run_} // where notebooks look
	if run.CohortDir() != filepath.Join(c.Run_, "cohort") {
		with["runs/reproduce/cohort"] = run.CohortDir()
	}
	parts, err := env.Bundle(ctx, c.Out, with, os.Stderr)
	if err != nil {
		return err
	}
	info, err := os.Stat(c.Out)
	if err != nil {
		return err
	}
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		fmt.Printf("%10s  %s\n", humanize.Bytes(uint64(parts[part])), part)
	}
	fmt.Printf("%10s  %s\n", humanize.Bytes(uint64(info.Size())), c.Out)
	return nil
}

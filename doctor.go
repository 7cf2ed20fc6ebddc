package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/gomlx/compute"

	"elastography/kernel"
	"elastography/kernel/pjrt"
	"elastography/sswe"
)

type doctorCommand struct {
	JSON bool `help:"Machine-readable."`
}

func (c doctorCommand) Run(ctx context.Context) error {
	root, err := kernel.FindRoot(".")
	if err != nil {
		return err
	}
	report := kernel.Doctor(ctx, root)
	report.Add(checkBackend(ctx))
	if c.JSON {
		b, err := report.JSON()
		if err != nil {
			return err
		}
		fmt.Println(string(b))
	} else if err := report.Write(os.Stdout); err != nil {
		return err
	}
	if !report.OK() {
		return errors.New("not all is well; see the remedies above")
	}
	return nil
}

// checkBackend starts XLA, if its plugin is there: doctor fetches nothing.
func checkBackend(ctx context.Context) kernel.Check {
	check := kernel.Check{Name: "XLA backend", Remedy: "run `go run . reproduce --preset smoke`, which fetches the plugin"}
	if _, found, err := pjrt.Find(); err != nil || !found {
		check.Level, check.Found = kernel.LevelWarn, "not started: its plugin is not there yet"
		return check
	}
	_, err := pjrt.Use(ctx)
	if err == nil {
		var backend compute.Backend
		if backend, err = sswe.OpenBackend(); err == nil {
			check.Found = fmt.Sprintf("%s, %d devices", backend.Name(), backend.NumDevices())
			backend.Finalize()
			return check
		}
	}
	check.Level, check.Found = kernel.LevelFail, err.Error()
	return check
}

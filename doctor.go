package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/gomlx/compute"

	"elastography/kernel"
	"elastography/kernel/pjrt"
	"elastography/kernel/pjrt/compiler"
	"elastography/kernel/pjrt/nativeops"
	"elastography/sswe"
)

type doctorCommand struct {
	JSON       bool `help:"Machine-readable."`
	ClearCache bool `help:"First delete the compiled programs that are kept from one process to the next."`
}

func (c doctorCommand) Run(ctx context.Context) error {
	root, err := kernel.FindRoot(".")
	if err != nil {
		return err
	}
	if c.ClearCache {
		before, err := compiler.Clear()
		if err != nil {
			return fmt.Errorf("clear the compilation cache: %w", err)
		}
		fmt.Fprintln(os.Stderr, "cleared:", before)
	}
	report := kernel.Doctor(ctx, root)
	report.Add(checkBackend(ctx))
	report.Add(checkNativeOps())
	report.Add(checkCompileCache())
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

// checkNativeOps says what convolutions run on. Being without only costs time.
func checkNativeOps() kernel.Check {
	check := kernel.Check{Name: "native operations", Found: nativeops.Describe(),
		Remedy: "unset " + nativeops.EnvNativeOps + ": XLA's own convolutions take longer"}
	if nativeops.Off() {
		check.Level, check.Found = kernel.LevelWarn, "off"
	}
	return check
}

// checkCompileCache says what compiled programs are kept. Being off or unreadable only costs time.
func checkCompileCache() kernel.Check {
	check := kernel.Check{Name: "compilation cache", Remedy: "unset " + compiler.EnvCache + ", or set it to a size such as \"1 GB\": a process's first step takes seconds longer without"}
	stats, err := compiler.Inspect()
	if err != nil {
		check.Level, check.Found = kernel.LevelWarn, err.Error()
		return check
	}
	check.Found = stats.String()
	if stats.Off {
		check.Level = kernel.LevelWarn
	}
	return check
}

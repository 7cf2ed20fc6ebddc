// Command sswe is the open laboratory for synthetic shear-wave elastography: `go run . reproduce` does the whole study.
//
// It wires the rooms together: kernel (environment), data (cohorts), sswe (method), plots (figures). It computes nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands is the command line. Each command's struct is in the file of its name.
type commands struct {
	Reproduce     reproduceCommand     `cmd:"" help:"The whole study: environment, cohort, training, evaluation, figures, notebooks, report.html."`
	Cohort        cohortCommand        `cmd:"" help:"Simulate a patient cohort."`
	Import        importCommand        `cmd:"" help:"Make a cohort from real scanner screens."`
	Train         trainCommand         `cmd:"" help:"Train a network on a cohort."`
	Evaluate      evaluateCommand      `cmd:"" help:"Evaluate a trained run on its cohort's test patients."`
	Trainings     trainingsCommand     `cmd:"" help:"Folds, ensemble members and ablations of one cohort, one after the other; beam/ does them on many machines."`
	Crossvalidate crossvalidateCommand `cmd:"" help:"Train and evaluate so that every patient is a test patient once: k folds or leave-one-out."`
	Followup      followupCommand      `cmd:"" help:"Scanners, organs, ablations, seeds and uncertainty in one table: some 30 trainings."`
	Synthesize    synthesizeCommand    `cmd:"" help:"Draw the synthetic elastogram of B-mode images."`
	Export        exportCommand        `cmd:"" help:"Write a trained network as an ONNX file."`
	Lab           labCommand           `cmd:"" help:"Open JupyterLab with the kernel ready."`
	Notebook      notebookCommand      `cmd:"" help:"Run notebooks without a browser."`
	Kernel        kernelCommand        `cmd:"" help:"Set up, install or remove the notebook kernel."`
	Bundle        bundleCommand        `cmd:"" help:"One archive that sets up a machine with no network."`
	Bench         benchCommand         `cmd:"" help:"Measure speed, also beside other frameworks."`
	Doctor        doctorCommand        `cmd:"" help:"Say what is and isn't well here, with the remedy."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() { <-ctx.Done(); stop() }() // a second Ctrl-C ends at once
	var c commands
	parser := kong.Must(&c, kong.Name("sswe"), kong.ShortUsageOnError(),
		kong.Description("Synthetic shear-wave elastography from B-mode ultrasound. Research software, not a medical device."),
		kong.BindTo(ctx, (*context.Context)(nil)))
	command, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	if err := command.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "sswe:", strings.TrimSpace(err.Error()))
		if errors.Is(err, context.Canceled) || ctx.Err() != nil {
			fmt.Fprintln(os.Stderr, "sswe: stopped; run the same command again to go on from here")
			os.Exit(130)
		}
		os.Exit(1)
	}
}

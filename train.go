package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/schollz/progressbar/v3"

	"elastography/data"
	"elastography/kernel/pjrt"
	"elastography/sswe"
)

// configFlags choose a preset and change it.
type configFlags struct {
	Preset string `help:"paper, workshop or smoke." default:"paper" placeholder:"NAME"`
	Seed   uint64 `help:"Seed; 0 takes the preset's."`
	Epochs int    `help:"Epochs of each network; 0 takes the preset's."`
}

func (f configFlags) config() (sswe.Config, error) {
	c, err := sswe.Named(f.Preset)
	if err != nil {
		return c, err
	}
	c.Seed, c.Training.Epochs = cmp.Or(f.Seed, c.Seed), cmp.Or(f.Epochs, c.Training.Epochs)
	return c, c.Validate()
}

type trainCommand struct {
	Cohort string `help:"Cohort folder." required:"" type:"path"`
	Out    string `help:"Run folder." required:"" type:"path"`
	configFlags
	SkipDamaged bool `help:"Leave damaged planes out instead of stopping."`
	Devices     int  `help:"Devices of this machine that share each batch, whose size they must divide. The results are one device's." default:"1"`

	From         string  `help:"Fine-tune: begin with the weights of this trained run (folder or model file) of the same preset." type:"path" placeholder:"DIR"`
	LearningRate float64 `help:"Learning rate at the first step; the last step's follows in proportion. 0 takes the preset's." placeholder:"RATE"`
}

func (c trainCommand) Help() string {
	return "Example: go run . train --cohort cohorts/ten --preset workshop --out runs/ten\n\n" +
		"Fine-tuning: go run . train --cohort cohorts/other-scanner --preset workshop --from runs/ten --learning-rate 3e-4 --out runs/tuned\n\nStopped at any moment, the same command goes on from the last checkpoint."
}

func (c trainCommand) Run(ctx context.Context) error {
	config, err := c.config()
	if err != nil {
		return err
	}
	if c.LearningRate != 0 {
		config.Training.FinalRate *= c.LearningRate / config.Training.LearningRate
		config.Training.LearningRate = c.LearningRate
	}
	if err := config.Validate(); err != nil {
		return err
	}
	run := sswe.Run{Dir: c.Out}
	unlock, err := lockRun(run.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := run.SaveConfig(config); err != nil {
		return err
	}
	cohort, err := data.Open(c.Cohort)
	if err != nil {
		return err
	}
	training, test, origin, err := loadSamples(ctx, cohort, config, c.SkipDamaged)
	if err != nil {
		return err
	}
	if err := run.LinkCohort(c.Cohort); err != nil {
		return err
	}
	if _, err := pjrt.Use(ctx); err != nil {
		return err
	}
	if err := train(ctx, sswe.Trainer{Config: config, Dir: run.CheckpointDir(), Origin: origin, Start: c.From, Devices: c.Devices}, run, training); err != nil {
		return err
	}
	if err := evaluate(run, config, training, test); err != nil {
		return err
	}
	return printMetrics(run)
}

// train fits the run's model, or finds it fitted.
func train(ctx context.Context, trainer sswe.Trainer, run sswe.Run, samples []*data.Sample) error {
	history, finished := trainer.Finished()
	if !finished {
		var err error
		if trainer.Backend, err = sswe.OpenBackend(); err != nil {
			return err
		}
		defer trainer.Backend.Finalize()
		bar := newBar(-1, "compiling the training step (about 10 s the first time)")
		trainer.OnStep = func(step, steps int, lossKPa float64) { showStep(bar, step, steps, lossKPa) }
		trainer.OnEpoch = func(e sswe.Epoch) {
			if e.Epoch%5 == 0 && e.ValMAEKPa >= 0 {
				fmt.Fprintf(os.Stderr, "\n      epoch %d of %d: training %.2f kPa, validation %.2f kPa, %.0f images/s\n",
					e.Epoch, trainer.Config.Training.Epochs, e.TrainMAEKPa, e.ValMAEKPa, e.ImagesPerSec)
			}
		}
		if _, history, err = trainer.Train(ctx, samples); err != nil {
			return err
		}
	}
	return run.SaveHistory(history)
}

// showStep draws the progress of a training.
func showStep(bar *progressbar.ProgressBar, step, steps int, lossKPa float64) {
	if bar.GetMax() != steps {
		bar.ChangeMax(steps)
	}
	bar.Describe(fmt.Sprintf("steps, loss %5.2f kPa", lossKPa))
	_ = bar.Set(step)
}

// printMetrics says where a run's numbers are and the first of them.
func printMetrics(run sswe.Run) error {
	m, err := run.Metrics()
	if err != nil {
		return err
	}
	fmt.Printf("%s: MAE %.2f kPa (95 %% interval %.2f to %.2f) on %d planes of %d %s test patients\n", filepath.Join(run.Dir, "metrics.json"),
		m.MAEKPa.Mean, m.MAEKPa.CI95[0], m.MAEKPa.CI95[1], m.NPlanes, m.NPatients, sourceOf(m))
	for _, name := range m.BaselineNames() {
		b := m.Baselines[name]
		fmt.Printf("  baseline %-13s MAE %.2f kPa (%.2f to %.2f)\n", name, b.MAEKPa, b.CI95[0], b.CI95[1])
	}
	fmt.Printf("  skill against the best baseline %.3f; its error minus the network's %.2f kPa (%.2f to %.2f)\n", m.Skill,
		m.Advantage.Mean, m.Advantage.CI95[0], m.Advantage.CI95[1])
	if m.AUC != nil {
		fmt.Printf("  tumour AUC on the same %d + %d tiles: SWE %.3f (%.3f to %.3f), sSWE %.3f (%.3f to %.3f)\n", m.AUC.TumourTiles, m.AUC.BenignTiles,
			m.AUC.SWE.AUC, m.AUC.SWE.CI95[0], m.AUC.SWE.CI95[1], m.AUC.SSWE.AUC, m.AUC.SSWE.CI95[0], m.AUC.SSWE.CI95[1])
	}
	return nil
}

// sourceOf says what kind of patients a run's numbers are about.
func sourceOf(m sswe.Metrics) string {
	if m.Simulated {
		return data.Simulated
	}
	return data.Imported
}

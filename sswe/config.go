// Package sswe is the method: a fully convolutional network that reads a B-mode image and draws the stiffness map that
// a shear-wave elastography (SWE) scanner would have shown, with its training, prediction and honest evaluation.
//
// It owns configuration and presets, the network and its loss, training with exact resume, checkpoints, baselines,
// metrics and the run folder. It never simulates or imports images (package data) and never draws (package plots).
//
// It reproduces Wildeboer et al., "Synthetic elastography from B-mode ultrasound through deep learning", IEEE IUS 2019
// (P1 below) and its follow-up, IEEE TUFFC 67(12):2640-2648, 2020 (P2). Their bodies do not state every setting; what
// is assumed says so.
package sswe

import (
	"errors"
	"fmt"
	"math"

	"elastography/data"
)

// Config says everything that decides a run's result. Equal configs on the same machine give equal numbers.
type Config struct {
	Preset string `json:"preset"`
	Seed   uint64 `json:"seed"`

	Grid     data.Grid `json:"grid"`      // the network's image; assumption: P1 and P2 are silent on the input size
	RangeKPa float64   `json:"range_kpa"` // network output 1 is this many kPa; the simulated scanner's display range

	Network      Network           `json:"network"`
	Training     Training          `json:"training"`
	Augmentation data.Augmentation `json:"augmentation"`
	Evaluation   Evaluation        `json:"evaluation"`
}

// Network describes the encoder-decoder. The authors' patent (EP3987445B1) states: output as large as the input, 3x3
// kernels, units of two convolutions followed by a pooling or an up-sampling.
type Network struct {
	Levels       int     `json:"levels"`        // poolings, and as many up-samplings. Assumption: 4
	BaseChannels int     `json:"base_channels"` // channels of the first unit, doubled at each level. Assumption: 16
	Skips        bool    `json:"skips"`         // hand each encoder level to its decoder level. Assumption: yes
	BatchNorm    bool    `json:"batch_norm"`    // normalise after each convolution. Assumption: yes
	LeakySlope   float64 `json:"leaky_slope"`   // slope of the activation below zero. Assumption: 0.1
	// Scale adds a second output, the scale of the network's own error, which the Laplace loss learns: the patent's
	// confidence map, in kPa.
	Scale bool `json:"scale,omitempty"`
}

// Training says how the weights are found. P1 and P2 name neither optimiser nor loss in what can be read: Adam and a
// masked L1 are assumptions, as is each number here.
type Training struct {
	Epochs           int     `json:"epochs"`
	BatchSize        int     `json:"batch_size"`
	LearningRate     float64 `json:"learning_rate"`      // of Adam at the first step, falling as a half cosine
	FinalRate        float64 `json:"final_rate"`         // of Adam at the last step
	AveragedShare    float64 `json:"averaged_share"`     // of the epochs, the last ones: the model is the mean of their weights
	WeightDecay      float64 `json:"weight_decay"`       // of Adam, per unit of learning rate (AdamW)
	ValidationShare  float64 `json:"validation_share"`   // of the training patients, watched but not learned from
	CheckpointPeriod int     `json:"checkpoint_seconds"` // seconds between checkpoints: what a crash may cost
	Loss             string  `json:"loss,omitempty"`     // what is minimised, one of Losses(); empty means L1
	// Adversarial is the weight of a patch discriminator's judgement beside the loss; 0 trains without one. pix2pix
	// weighs L1 a hundred times as much: 0.01.
	Adversarial float64 `json:"adversarial,omitempty"`
}

// Evaluation says how intervals and regions are made.
type Evaluation struct {
	BootstrapSamples int     `json:"bootstrap_samples"` // resamplings of patients for each 95 % interval
	TileMM           float64 `json:"tile_mm"`           // side of the regions scored against histopathology, mm
	GuardMM          float64 `json:"guard_mm"`          // benign regions keep this far from any tumour, mm
	StiffKPa         float64 `json:"stiff_kpa"`         // the clinical cut for "stiff", kPa (Correas: 35)
}

// Paper is the study's preset: 2 million weights on 64 x 96 pixels of 0.7 mm.
func Paper() Config {
	return Config{
		Preset:   "paper",
		Seed:     2019,
		Grid:     data.Grid{Height: 64, Width: 96, MMPerPx: 0.7},
		RangeKPa: 70,
		Network:  Network{Levels: 4, BaseChannels: 16, Skips: true, BatchNorm: true, LeakySlope: 0.1},
		Training: Training{Epochs: 40, BatchSize: 8, LearningRate: 1e-3, FinalRate: 1e-4, AveragedShare: 0.4, WeightDecay: 0.05, ValidationShare: 0.05, CheckpointPeriod: 20},
		Augmentation: data.Augmentation{FlipLateral: true, ShiftLateralMM: 4, ShiftDepthMM: 1.5, Stretch: 0.1,
			GainDelta: 0.1, GammaRange: 0.3, SpeckleSD: 0.05},
		Evaluation: Evaluation{BootstrapSamples: 2000, TileMM: 5, GuardMM: 2, StiffKPa: 35},
	}
}

// Workshop is small enough for a room of laptops: a quarter of the weights, half of the training.
func Workshop() Config {
	c := Paper()
	c.Preset = "workshop"
	c.Network.BaseChannels = 8
	c.Training.Epochs = 24
	return c
}

// Smoke only shows that every part runs; its numbers mean nothing.
func Smoke() Config {
	c := Paper()
	c.Preset = "smoke"
	c.Grid = data.Grid{Height: 32, Width: 48, MMPerPx: 1.4}
	c.Network.Levels, c.Network.BaseChannels = 2, 8
	c.Training.Epochs, c.Training.BatchSize = 20, 4
	c.Evaluation.BootstrapSamples = 500
	return c
}

// Presets lists the names that Named knows.
func Presets() []string { return []string{"paper", "workshop", "smoke"} }

// Named returns the preset of that name.
func Named(preset string) (Config, error) {
	switch preset {
	case "paper":
		return Paper(), nil
	case "workshop":
		return Workshop(), nil
	case "smoke":
		return Smoke(), nil
	}
	return Config{}, fmt.Errorf("unknown preset %q; choose one of %v", preset, Presets())
}

// Validate refuses what can't be trained; the error names the field and its value.
func (c Config) Validate() error {
	positive := []struct {
		name  string
		value float64
	}{
		{"grid.MMPerPx", c.Grid.MMPerPx}, {"range_kpa", c.RangeKPa}, {"training.learning_rate", c.Training.LearningRate},
		{"grid.Height", float64(c.Grid.Height)}, {"grid.Width", float64(c.Grid.Width)},
		{"network.base_channels", float64(c.Network.BaseChannels)}, {"training.epochs", float64(c.Training.Epochs)},
		{"training.batch_size", float64(c.Training.BatchSize)}, {"evaluation.tile_mm", c.Evaluation.TileMM},
		{"evaluation.bootstrap_samples", float64(c.Evaluation.BootstrapSamples)}, {"evaluation.stiff_kpa", c.Evaluation.StiffKPa},
	}
	var errs []error
	for _, p := range positive {
		if !(p.value > 0) || math.IsInf(p.value, 0) {
			errs = append(errs, fmt.Errorf("%s is %v, expected a positive number", p.name, p.value))
		}
	}
	if c.Network.Levels < 0 || c.Network.Levels > 8 {
		errs = append(errs, fmt.Errorf("network.levels is %d, expected 0 to 8", c.Network.Levels))
	}
	if s := c.Training.ValidationShare; !(s >= 0 && s < 1) {
		errs = append(errs, fmt.Errorf("training.validation_share is %v, expected 0 or more and less than 1", s))
	}
	errs = append(errs, checkLoss(c.Training.Loss))
	if c.Network.Scale != (c.Training.Loss == Laplace) {
		errs = append(errs, fmt.Errorf("network.scale is %v with training.loss %q: the second output and the %s loss go together", c.Network.Scale, c.Training.Loss, Laplace))
	}
	if a := c.Training.Adversarial; !(a >= 0) || math.IsInf(a, 0) {
		errs = append(errs, fmt.Errorf("training.adversarial is %v, expected 0 or a positive number", a))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	return nil
}

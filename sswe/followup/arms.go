package followup

import (
	"cmp"
	"fmt"
	"slices"

	"elastography/data"
	"elastography/data/scanner"
	"elastography/sswe"
)

// Arm is one training: the reference with one thing changed.
type Arm struct {
	Group, Name, Note string
	Config            sswe.Config
	Recipes           []data.Recipe // the cohorts whose training planes it sees; tested on the first one's test planes
	Patients          int           // training patients it sees, of each cohort; 0 is all
	View              View
	Start             string // the arm before it whose weights it begins with; "" begins with random ones
}

// View is what a network gets to see instead of its training images.
type View string

// The views. The first is the method, the others are controls that must fall to a baseline.
const (
	Images    View = ""
	Shuffled  View = "shuffled"   // each stiffness with another patient's image
	DepthOnly View = "depth only" // a ramp instead of the image, in testing too
)

// Reference is the arm that all others are compared with.
const Reference = "reference"

// Arms lists the study's trainings, the reference first.
func (s *Study) Arms() []Arm {
	base := Arm{Group: Reference, Name: Reference, Note: "preset " + s.Base.Preset, Config: s.Base, Recipes: []data.Recipe{s.Recipe}}
	arms := []Arm{base}
	vary := func(group, name, note string, change func(*Arm)) {
		a := base
		a.Group, a.Name, a.Note, a.Recipes = group, name, note, slices.Clone(base.Recipes)
		if change(&a); s.wants(group) {
			arms = append(arms, a)
		}
	}
	for k := 1; k < s.Seeds; k++ {
		vary("seed", fmt.Sprintf("seed-%d", s.Recipe.Seed+uint64(k)), fmt.Sprintf("seed %d: other patients and weights", s.Recipe.Seed+uint64(k)), func(a *Arm) {
			a.Config.Seed += uint64(k)
			a.Recipes[0].Seed += uint64(k)
		})
	}
	vary("seed", "weights", "the same patients, other initial weights and order", func(a *Arm) { a.Config.Seed += 1000 })

	vary("control", "shuffled-pairs", "each stiffness with another patient's image", func(a *Arm) { a.View = Shuffled })
	vary("control", "depth-only", "a depth ramp instead of the image", func(a *Arm) { a.View = DepthOnly })

	vary("network", "no-skips", "plain encoder-decoder", func(a *Arm) { a.Config.Network.Skips = false })
	vary("network", "half-width", "half the channels", func(a *Arm) { a.Config.Network.BaseChannels /= 2 })
	vary("network", "double-width", "twice the channels", func(a *Arm) { a.Config.Network.BaseChannels *= 2 })
	vary("input", "coarse", "pixels twice as large", func(a *Arm) { a.Config.Grid = scaled(a.Config.Grid, 2) })
	vary("input", "fine", "pixels half as large", func(a *Arm) { a.Config.Grid = scaled(a.Config.Grid, 0.5) })

	for _, loss := range sswe.Losses() {
		if loss != cmp.Or(s.Base.Training.Loss, sswe.L1) && loss != sswe.Laplace {
			vary("loss", "loss-"+loss, "loss "+loss, func(a *Arm) { a.Config.Training.Loss = loss })
		}
	}
	vary("loss", "pix2pix", "L1 and a patch discriminator (conditional adversarial)", func(a *Arm) { a.Config.Training.Adversarial = 0.01 })

	vary("training", "no-augmentation", "no augmentation", func(a *Arm) { a.Config.Augmentation = data.Augmentation{} })
	vary("training", "no-averaging", "last weights instead of their average", func(a *Arm) { a.Config.Training.AveragedShare = 0 })
	all := s.Recipe.Patients - s.Recipe.Test
	for _, n := range []int{all / 4, all / 2} {
		if n >= 2 {
			vary("patients", fmt.Sprintf("patients-%d", n), fmt.Sprintf("%d of %d training patients, as many steps", n, all), func(a *Arm) {
				a.Patients = n
				a.Config.Training.Epochs = a.Config.Training.Epochs * all / n
			})
		}
	}
	vary("scanner", "scanner-b", "trained on the second scanner", func(a *Arm) { a.Recipes[0].Scanner = scanner.EndFireB().Name })
	vary("scanner", "scanner-b-short", "trained on the second scanner, a quarter of the steps", func(a *Arm) {
		a.Recipes[0].Scanner = scanner.EndFireB().Name
		a.Config.Training.Epochs = (a.Config.Training.Epochs + 3) / 4
	})
	vary("scanner", "scanner-b-tuned", "fine-tuned on the second scanner, a quarter of the steps", func(a *Arm) {
		a.Recipes[0].Scanner = scanner.EndFireB().Name
		a.Config.Training.Epochs = (a.Config.Training.Epochs + 3) / 4
		a.Start = Reference
	})
	vary("scanner", "both-scanners", "trained on both scanners", func(a *Arm) {
		second := a.Recipes[0]
		second.Scanner = scanner.EndFireB().Name
		a.Recipes = append(a.Recipes, second)
		a.Config.Training.Epochs = (a.Config.Training.Epochs + 1) / 2 // twice the planes, as many steps
	})
	vary("organ", "thyroid", "retrained on the thyroid", func(a *Arm) {
		thyroid := data.ThyroidStudy()
		thyroid.Patients, thyroid.Test, thyroid.Planes, thyroid.Seed = s.Recipe.Patients, s.Recipe.Test, s.Recipe.Planes, s.Recipe.Seed
		a.Recipes[0] = thyroid
		a.Config.RangeKPa = thyroid.ScaleMaxKPa()
	})
	return arms
}

// scaled is the same field with pixels of another size.
func scaled(g data.Grid, factor float64) data.Grid {
	return data.Grid{Height: int(float64(g.Height) / factor), Width: int(float64(g.Width) / factor), MMPerPx: g.MMPerPx * factor}
}

// seen is what the arm trains on.
func (a Arm) seen(training []*data.Sample) ([]*data.Sample, error) {
	switch a.View {
	case Shuffled:
		return data.ShufflePairs(training, a.Config.Seed)
	case DepthOnly:
		return data.DepthOnly(training), nil
	}
	return training, nil
}

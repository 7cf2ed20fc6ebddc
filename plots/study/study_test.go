package study

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"elastography/data"
	"elastography/sswe"
)

// finished writes a run as an evaluation leaves it, with tumours or without histopathology.
func finished(t *testing.T, histopathology bool) *Study {
	t.Helper()
	c := sswe.Smoke()
	plane := func(patient string, offset float64) *data.Sample {
		n := c.Grid.Pixels()
		s := &data.Sample{Patient: patient, Plane: "mid", Grid: c.Grid, ScaleMaxKPa: 70, Image: make([]float32, n),
			TargetKPa: make([]float32, n), Mask: make([]bool, n), Saturated: make([]bool, n)}
		if histopathology {
			s.Labels, s.LabelsTrue = make([]uint8, n), make([]uint8, n)
		}
		for i := range n {
			y, x := float64(i/c.Grid.Width), float64(i%c.Grid.Width)
			s.Image[i] = float32(0.4 + 0.2*math.Sin(x/3+offset))
			s.TargetKPa[i] = float32(25 + offset + 5*math.Sin(y/4))
			s.Mask[i] = y > 4 && x > 6 && x < 40
			if histopathology {
				s.Labels[i], s.LabelsTrue[i] = 1, 1
				if math.Hypot(x-20, y-16) < 6 {
					s.LabelsTrue[i], s.TargetKPa[i] = 10, 55
				}
				if math.Hypot(x-21, y-15) < 6 {
					s.Labels[i] = 10
				}
			}
		}
		return s
	}
	training := []*data.Sample{plane("p001", 0), plane("p002", 3)}
	test := []*data.Sample{plane("p003", 1), plane("p004", -2), plane("p005", 4)}
	predictions := make([]sswe.Prediction, len(test))
	for k, s := range test {
		predictions[k].KPa = make([]float32, len(s.TargetKPa))
		for i, v := range s.TargetKPa {
			predictions[k].KPa[i] = 20 + v/3
		}
	}
	foci := []data.FocusRow{{Patient: "p003", Focus: 10, GradeGroup: 2}, {Patient: "p004", Focus: 10, GradeGroup: 2}, {Patient: "p005", Focus: 10, GradeGroup: 4}}
	result, err := sswe.Evaluate(c, sswe.Evidence{Training: training, Test: test, Predictions: predictions, Simulated: true, Foci: foci})
	if err != nil {
		t.Fatal(err)
	}
	run := sswe.Run{Dir: t.TempDir()}
	history := []sswe.Epoch{{Epoch: 1, Step: 3, TrainMAEKPa: 8, ValMAEKPa: -1, LearningRate: 1e-3}, {Epoch: 2, Step: 6, TrainMAEKPa: 7, ValMAEKPa: -1, LearningRate: 1e-4}}
	if err := errors.Join(run.SaveConfig(c), run.SaveHistory(history), run.SaveResult(result, test, predictions)); err != nil {
		t.Fatal(err)
	}
	s, err := Open(run.Dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheReportHoldsEachFigureAndSaysThatItIsSimulated(t *testing.T) {
	for _, histopathology := range []bool{true, false} {
		s := finished(t, histopathology)
		drawings, err := s.Drawings()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.Save(drawings), s.Report(drawings, t.TempDir(), nil)); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(s.Run.Dir, "report.html"))
		if err != nil {
			t.Fatal(err)
		}
		page := string(b)
		roc := false
		for _, d := range drawings {
			roc = roc || d.Name == "roc"
			if !strings.Contains(page, `id="`+d.Name+`"`) || !strings.Contains(d.Figure.Alt(), "imulated") && d.Name != "network" {
				t.Errorf("figure %s is not in the report, or its alt text does not say simulated: %s", d.Name, d.Figure.Alt())
			}
			for _, kind := range []string{".png", ".svg", ".pdf"} {
				if info, err := os.Stat(filepath.Join(s.Run.FiguresDir(), d.Name+kind)); err != nil || info.Size() == 0 {
					t.Errorf("figures/%s%s is missing", d.Name, kind)
				}
			}
		}
		if roc != histopathology || strings.Contains(page, "Lesions by grade") != histopathology || strings.Contains(page, "true (simulated)") != histopathology {
			t.Errorf("histopathology %v, ROC drawn %v; or its tables are not as that", histopathology, roc)
		}
		for _, word := range []string{"Simulated data.", "not a medical device", "EP3987445B1", "at each depth", "baseline median",
			"Table 1. The network beside", "Lin&#39;s concordance", "oracle target blurred to 5 mm"} {
			if !strings.Contains(page, word) {
				t.Errorf("the report does not say %q", word)
			}
		}
		for _, outside := range []string{`src="http`, `href="http`, "<script"} {
			if strings.Contains(page, outside) {
				t.Errorf("the report is not self-contained: %s", outside)
			}
		}
	}
}

func TestAPlaneThatIsNotThereIsNamed(t *testing.T) {
	if _, err := finished(t, true).Panels("p099/mid"); err == nil || !strings.Contains(err.Error(), "p099/mid") {
		t.Errorf("error %v", err)
	}
}

func TestAnUnfinishedRunSaysWhichCommandMakesIt(t *testing.T) {
	if _, err := Open(t.TempDir()); !errors.Is(err, sswe.ErrNotThere) || !strings.Contains(err.Error(), "go run . reproduce") {
		t.Errorf("error %v", err)
	}
}

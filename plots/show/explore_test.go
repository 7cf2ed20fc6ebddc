package show

import (
	"os"
	"path/filepath"
	"testing"

	"elastography/plots"
)

func TestMovesThatCameMeanwhileArePaintedOnce(t *testing.T) {
	moves, done := make(chan move, 3), make(chan int)
	moves <- move{0, 10}
	moves <- move{1, 2}
	moves <- move{0, 30}
	values, painted := []int{0, 0}, 0
	attend(moves, done, func(m move) { values[m.control] = m.value }, func() { painted++; close(done) })
	if painted != 1 || values[0] != 30 || values[1] != 2 {
		t.Errorf("%v, painted %d times", values, painted)
	}
}

func TestWithoutABrowserTheFirstValuesAreShown(t *testing.T) {
	t.Chdir(t.TempDir())
	var asked []int
	Explore(func(v []int) (*plots.Figure, string, error) {
		asked = append(asked, v...)
		line := plots.LineSeries{Name: "line", X: []float64{0, 1}, Y: []float64{0, float64(v[1])}}
		f, err := plots.Lines([]plots.LinePanel{{XLabel: "x (mm)", YLabel: "y (kPa)", Series: []plots.LineSeries{line}}}, plots.Style{})
		return f, "one line", err
	}, Choice("Plane", []string{"a", "b"}), Slider("Cut (kPa)", 5, 70, 35))
	if len(asked) != 2 || asked[0] != 0 || asked[1] != 35 {
		t.Errorf("drawn for %v", asked)
	}
	figures, err := filepath.Glob(filepath.Join(figuresDir, "*.png"))
	if err != nil || len(figures) != 1 {
		t.Fatalf("%v, %v", figures, err)
	}
	if info, err := os.Stat(figures[0]); err != nil || info.Size() < 1000 {
		t.Errorf("%v, %v", info, err)
	}
}

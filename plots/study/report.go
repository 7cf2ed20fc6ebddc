package study

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"elastography/sswe"
)

//go:embed report.html.tmpl
var reportTemplate string

// page is what the report's template shows.
type page struct {
	*Study
	Figures    []pageFigure
	Tables     []pageTable
	Card       string
	ConfigText string
	Timings    []pageTiming
	Notebooks  []string
	Planes     [][]string
}

type pageFigure struct {
	Drawing
	Image   template.URL
	Alt     string
	WidthMM float64 // on the page: all figures at one scale, so that their letters are of one size
}

// pageTable is a numbered table of the evaluation; the first ones are open, as a reader wants them.
type pageTable struct {
	sswe.Table
	Number int
}

type pageTiming struct {
	Step    string
	Seconds float64
}

// Report writes report.html into the run's folder: self-contained, so that it can be sent by mail. steps orders the
// timings; cohortDir is where the data card is.
func (s *Study) Report(drawings []Drawing, cohortDir string, steps []string) error {
	p := page{Study: s}
	for _, d := range drawings {
		png, err := d.Figure.ScreenPNG()
		if err != nil {
			return fmt.Errorf("report: figure %s: %w", d.Name, err)
		}
		width, _ := d.Figure.SizeMM()
		p.Figures = append(p.Figures, pageFigure{Drawing: d, Alt: d.Figure.Alt(), WidthMM: 1.35 * width,
			Image: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png))})
	}
	for i, t := range s.Metrics.Tables() {
		p.Tables = append(p.Tables, pageTable{Table: t, Number: i + 1})
	}
	for k, e := range s.Result.Planes {
		i := s.Result.Similarities[k]
		p.Planes = append(p.Planes, []string{e.Patient, e.Plane, fmt.Sprint(e.Pixels), fmt.Sprintf("%.2f", e.MAEKPa), fmt.Sprintf("%.2f", e.RMSEKPa),
			fmt.Sprintf("%+.2f", e.BiasKPa), fmt.Sprintf("%.2f", e.Pearson), fmt.Sprintf("%.2f", i.Concordance), fmt.Sprintf("%.2f", i.SSIM)})
	}
	config, err := json.MarshalIndent(s.Config, "", "  ")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	p.ConfigText = string(config)
	card, err := os.ReadFile(filepath.Join(cohortDir, "card.md"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("report: %w", err)
	}
	p.Card = string(card)
	p.Timings = s.timings(steps)
	notebooks, err := filepath.Glob(filepath.Join(s.Run.Dir, "notebooks", "*.html"))
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	for _, n := range notebooks {
		p.Notebooks = append(p.Notebooks, strings.TrimSuffix(filepath.Base(n), ".html"))
	}
	t, err := template.New("report").Parse(reportTemplate)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(s.Run.Dir, "report.html"), b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// timings reads timings.json, which reproduce keeps; without it the report has none.
func (s *Study) timings(steps []string) []pageTiming {
	var clock struct {
		Seconds map[string]float64 `json:"seconds"`
	}
	b, err := os.ReadFile(filepath.Join(s.Run.Dir, "timings.json"))
	if err != nil || json.Unmarshal(b, &clock) != nil {
		return nil
	}
	var list []pageTiming
	for _, step := range slices.Clone(steps) {
		if seconds, ok := clock.Seconds[step]; ok {
			list = append(list, pageTiming{step, seconds})
		}
	}
	return list
}

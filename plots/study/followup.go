package study

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"elastography/plots"
	"elastography/sswe/followup"
)

//go:embed followup.html.tmpl
var followupTemplate string

// Followup writes the follow-up study's page of figures into dir: figures/ and followup.html, self-contained.
func Followup(r *followup.Report, dir string) error {
	drawings, err := FollowupDrawings(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "figures"), 0o755); err != nil {
		return fmt.Errorf("save figures: %w", err)
	}
	page := struct {
		*followup.Report
		Figures []pageFigure
	}{Report: r}
	for _, d := range drawings {
		if _, err := d.Figure.Save(filepath.Join(dir, "figures", d.Name)); err != nil {
			return fmt.Errorf("save figure %s: %w", d.Name, err)
		}
		png, err := d.Figure.ScreenPNG()
		if err != nil {
			return fmt.Errorf("figure %s: %w", d.Name, err)
		}
		width, _ := d.Figure.SizeMM()
		page.Figures = append(page.Figures, pageFigure{Drawing: d, Alt: d.Figure.Alt(), WidthMM: 1.35 * width,
			Image: template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png))})
	}
	t, err := template.New("followup").Parse(followupTemplate)
	if err != nil {
		return fmt.Errorf("followup.html: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, page); err != nil {
		return fmt.Errorf("followup.html: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(dir, "followup.html"), b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("followup.html: %w", err)
	}
	return nil
}

// LatentSpace draws a network's features of two scanners' images by t-SNE, with the numbers that the picture can't give.
func LatentSpace(n followup.LatentSpace) (*plots.Figure, error) {
	return plots.LatentSpace(plots.LatentPoints{X: n.X, Y: n.Y, Group: n.Group, Method: fmt.Sprintf("t-SNE, perplexity %.0f", n.Perplexity),
		Score: fmt.Sprintf("Mixing of neighbours %.2f; probe for the scanner AUC %.2f", n.Mixing, n.ScannerAUC)}, plots.Style{Simulated: true})
}

// PrincipalComponents draws the same features along the two directions in which they vary most.
func PrincipalComponents(n followup.LatentSpace) (*plots.Figure, error) {
	return plots.LatentSpace(plots.LatentPoints{X: n.First, Y: n.Second, Group: n.Group, Method: "principal components 1 and 2",
		Score: fmt.Sprintf("They carry %.0f %% and %.0f %% of the variance", 100*n.Components[0], 100*n.Components[1])}, plots.Style{Simulated: true})
}

// FollowupErrors draws the error of each row with the best baseline of its own planes, in the order given.
func FollowupErrors(rows []followup.Row) (*plots.Figure, error) {
	var bars []plots.BaselineRow
	for i, r := range rows {
		name := r.Note
		if r.Name == followup.Reference {
			name = "reference"
		}
		if r.Tests != followup.Own {
			name += ", on " + r.Tests
		}
		bars = append(bars, plots.BaselineRow{Name: name, MAEKPa: r.MAEKPa, Low: r.CI95[0], High: r.CI95[1], Model: i == 0})
		best := plots.BaselineRow{Name: "best trivial there (" + r.BestBaseline + ")", MAEKPa: r.BaselineKPa, Low: math.NaN(), High: math.NaN()}
		for _, b := range r.Baselines {
			if b.Name == r.BestBaseline {
				best.Low, best.High = b.CI95[0], b.CI95[1]
			}
		}
		bars = append(bars, best)
	}
	return plots.Baselines(bars, plots.Style{Simulated: true})
}

// FollowupDrawings draws the follow-up's figures.
func FollowupDrawings(r *followup.Report) ([]Drawing, error) {
	var list []Drawing
	add := func(d Drawing, f *plots.Figure, err error) error {
		if err != nil {
			return fmt.Errorf("draw %s: %w", d.Name, err)
		}
		d.Figure = f
		list = append(list, d)
		return nil
	}
	style := plots.Style{Simulated: true}
	var alone []followup.Row // on planes that are not the reference's
	var differences []plots.DifferenceRow
	for _, row := range r.Rows {
		name := row.Note
		if row.Tests != followup.Own {
			name = row.Note + ", on " + row.Tests
		}
		if d := row.Against; d != nil {
			differences = append(differences, plots.DifferenceRow{Group: row.Group, Name: name, KPa: d.Mean, Low: d.CI95[0], High: d.CI95[1]})
		} else {
			alone = append(alone, row)
		}
	}
	f, err := FollowupErrors(alone)
	if err := add(Drawing{Name: "other_patients", Title: "Other patients, other organs", Caption: "Mean absolute error where the test planes are not the reference's: " +
		"they can't be compared plane by plane. Each stands above the best predictor that looks at no image. The spread over seeds is what fifty patients leave to chance."}, f, err); err != nil {
		return nil, err
	}
	if len(differences) > 0 {
		f, err = plots.Differences(differences, style)
		if err := add(Drawing{Name: "differences", Title: "What each change does", Caption: "Each arm changes one thing; its error is compared with the reference's on the same planes. " +
			"To the left is better; an interval that misses 0 is coloured. Among so many arms one interval in twenty misses 0 by chance."}, f, err); err != nil {
			return nil, err
		}
	}
	for i, n := range r.Scanners.Networks {
		f, err := LatentSpace(n)
		if err := add(Drawing{Name: fmt.Sprintf("latent_space_%d", i+1), Title: "Two scanners in the features of the network: " + n.Network,
			Caption: "The same test patients on two scanners. P2 shows such a picture; the two numbers below say what it can't: a picture that mixes may still hide the scanner."}, f, err); err != nil {
			return nil, err
		}
	}
	if u := r.Uncertainty; u != nil {
		f, err := plots.UncertaintyCalibration(plots.Calibration{Nominal: u.Levels, Covered: u.Covered, SigmaKPa: u.SigmaKPa, RMSEKPa: u.RMSEKPa,
			Removed: u.Removed, MAEKPa: u.ByUncertainty, OracleMAEKPa: u.ByError}, style)
		if err := add(Drawing{Name: "uncertainty", Title: "Does the ensemble know what it does not know?", Caption: "Coverage of its intervals on test pixels after calibration on left-out " +
			"training patients; error against predicted standard deviation; error of what is left when the most uncertain pixels are taken away."}, f, err); err != nil {
			return nil, err
		}
	}
	return list, nil
}

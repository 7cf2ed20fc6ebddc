package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"elastography/beam/flink"
	"elastography/kernel/pjrt"
)

type clusterCommand struct {
	Start     clusterStart     `cmd:"" help:"Fetch what is needed and start: one JobManager, TaskManagers, Beam's job server."`
	Stop      clusterStop      `cmd:"" help:"End all of its processes."`
	Status    clusterStatus    `cmd:"" help:"Say whether it runs."`
	Supervise clusterSupervise `cmd:"" hidden:""`
	Inside    clusterInside    `cmd:"" hidden:""`
}

// clusterFolder says where a cluster keeps its files.
type clusterFolder struct {
	Dir string `help:"Folder for its configuration, logs and scratch. Default: in the cache folder." type:"path" placeholder:"DIR"`
}

func (f clusterFolder) folder() (string, error) {
	if f.Dir != "" {
		return f.Dir, nil
	}
	cache, err := pjrt.CacheDir()
	return filepath.Join(cache, "flink-cluster"), err
}

type clusterStart struct {
	clusterFolder
	TaskManagers int  `help:"Each takes one element at a time." default:"2"`
	Port         int  `help:"Of Beam's job server on this machine's loopback interface; 0: any free one." default:"8099"`
	Open         bool `help:"Use this machine's network, in which Beam's ports are on every interface."`
}

func (c clusterStart) Run(ctx context.Context) error {
	dir, err := c.folder()
	if err != nil {
		return err
	}
	cache, err := pjrt.CacheDir()
	if err != nil {
		return err
	}
	home, err := flink.Assemble(ctx, cache, os.Stderr)
	if err != nil {
		return err
	}
	cluster, err := flink.Start(ctx, dir, home, c.TaskManagers, c.Port, c.Open)
	if err != nil {
		return err
	}
	fmt.Printf("Flink with %d TaskManagers\njob server %s\ndisplay    %s\nlogs       %s\n", c.TaskManagers, cluster.Endpoint(), cluster.REST(), dir)
	return nil
}

type clusterStop struct{ clusterFolder }

func (c clusterStop) Run() error {
	dir, err := c.folder()
	if err != nil {
		return err
	}
	cluster, err := flink.Load(dir)
	if err != nil {
		return err
	}
	return cluster.Stop()
}

type clusterStatus struct{ clusterFolder }

func (c clusterStatus) Run(ctx context.Context) error {
	dir, err := c.folder()
	if err != nil {
		return err
	}
	cluster, err := flink.Load(dir)
	if err != nil {
		return err
	}
	n, err := cluster.Registered(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%d of %d TaskManagers\njob server %s\n", n, cluster.TaskManagers, cluster.Endpoint())
	return nil
}

type clusterSupervise struct{ clusterFolder }

func (c clusterSupervise) Run(ctx context.Context) error { return flink.Supervise(ctx, c.Dir) }

type clusterInside struct{ clusterFolder }

func (c clusterInside) Run(ctx context.Context) error { return flink.Inside(ctx, c.Dir) }

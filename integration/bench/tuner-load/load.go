package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	tuner "lockstep.dev/tuner-load/gen/lockstep/tuner/v1"
)

const (
	// HTTP/2 connections: a client machine has one, and many of them dial a tuner.
	connectionCount = 20
	clientsPerStudy = 10
	trialsPerStudy  = 200
	// How long the tuner may keep who asks when all trials are given out.
	maxWait = 20 * time.Second
	// Of any call.
	callTimeout   = 60 * time.Second
	progressEvery = 1000
)

type load struct {
	plan  plan
	tally *tally
	made  atomic.Int64            // studies
	fail  context.CancelCauseFunc // ends everything
}

// Runs the clients to their end, or until a call of one fails.
func run(p plan) (figures, error) {
	ctx, fail := context.WithCancelCause(context.Background())
	defer fail(nil)
	begins := time.Now().Add(seconds(p.RampSeconds))
	var ends time.Time
	if p.Seconds > 0 {
		ends = begins.Add(seconds(p.Seconds))
	}
	l := &load{plan: p, tally: newTally(begins, ends), fail: fail}
	var services []tuner.TunerServiceClient
	for range connectionCount {
		connection, err := grpc.NewClient(p.Address, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return figures{}, fmt.Errorf("the address %s: %w", p.Address, err)
		}
		defer connection.Close()
		services = append(services, tuner.NewTunerServiceClient(connection))
	}
	var groups sync.WaitGroup
	for i := range p.Clients / clientsPerStudy {
		groups.Go(func() { l.group(ctx, services[i%connectionCount], i*clientsPerStudy) })
	}
	groups.Wait()
	if err := context.Cause(ctx); err != nil {
		return figures{}, err
	}
	return l.tally.figures()
}

func (l *load) isOver(ctx context.Context) bool {
	return ctx.Err() != nil ||
		l.plan.Trials > 0 && l.tally.trialsEnded() >= l.plan.Trials ||
		l.plan.Seconds > 0 && l.tally.elapsed() > seconds(l.plan.Seconds)
}

// Studies follow one another: each group of clients works on one until it is complete.
func (l *load) group(ctx context.Context, service tuner.TunerServiceClient, first int) {
	for !l.isOver(ctx) {
		study, err := l.createStudy(ctx, service)
		if err != nil {
			l.fail(err)
			return
		}
		var clients sync.WaitGroup
		for i := range clientsPerStudy {
			clients.Go(func() {
				if err := l.client(ctx, service, study, fmt.Sprintf("client %d", first+i)); err != nil {
					l.fail(err)
				}
			})
		}
		clients.Wait()
	}
}

// Returns the study's name. It is not counted: there is one for 600 other calls.
func (l *load) createStudy(ctx context.Context, service tuner.TunerServiceClient) (string, error) {
	number := l.made.Add(1)
	id := fmt.Sprintf("load-%d-%d", os.Getpid(), number)
	study, _, err := call(ctx, "CreateStudy "+id, service.CreateStudy, &tuner.CreateStudyRequest{StudyId: id, Spec: &tuner.StudySpec{
		Space: &tuner.StudySpec_SearchSpace{SearchSpace: &tuner.SearchSpace{Parameters: []*tuner.Parameter{
			{Name: "lr", Kind: &tuner.Parameter_FloatRange{FloatRange: &tuner.FloatRange{Min: 1e-4, Max: 0.1, Sampling: tuner.Sampling_SAMPLING_LOG}}},
			{Name: "units", Kind: &tuner.Parameter_IntRange{IntRange: &tuner.IntRange{Min: 1, Max: 4096}}},
		}}},
		Objectives: []*tuner.Objective{{Metric: "loss", Direction: tuner.Direction_DIRECTION_MIN}},
		Algorithm:  &tuner.StudySpec_RandomSearch{RandomSearch: &tuner.RandomSearch{}},
		MaxTrials:  proto.Uint32(trialsPerStudy),
		Seed:       uint64(number),
	}})
	return study.GetName(), err
}

// Evaluates trials of a study until it has no more.
func (l *load) client(ctx context.Context, service tuner.TunerServiceClient, study, id string) error {
	for !l.isOver(ctx) {
		l.think(ctx)
		suggestion, took, err := call(ctx, "SuggestTrials of "+study+" for "+id, service.SuggestTrials,
			&tuner.SuggestTrialsRequest{Parent: study, ClientId: id, Count: 1, MaxWait: durationpb.New(maxWait)})
		if err != nil {
			return err
		}
		studyIsOver := suggestion.GetOver() != nil
		l.tally.addCall(took, studyIsOver)
		if studyIsOver {
			return nil
		}
		for _, trial := range suggestion.GetSuggested().GetTrials() {
			if err := l.evaluate(ctx, service, trial.Name, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *load) evaluate(ctx context.Context, service tuner.TunerServiceClient, trial, id string) error {
	l.think(ctx)
	_, took, err := call(ctx, "ReportMeasurement of "+trial+" by "+id, service.ReportMeasurement,
		&tuner.ReportMeasurementRequest{Trial: trial, ClientId: id, Measurement: &tuner.Measurement{Epoch: 1, Metrics: []*tuner.Metric{{Name: "loss", Value: rand.Float64()}}}})
	if err != nil {
		return err
	}
	l.tally.addCall(took, false)
	l.think(ctx)
	_, took, err = call(ctx, "CompleteTrial of "+trial+" by "+id, service.CompleteTrial,
		&tuner.CompleteTrialRequest{Trial: trial, ClientId: id, Outcome: &tuner.CompleteTrialRequest_Success{Success: &tuner.Success{}}})
	if err != nil {
		return err
	}
	l.tally.addCall(took, false)
	if ended := l.tally.addTrial(); ended > 0 && ended%progressEvery == 0 {
		fmt.Printf("{\"progress\":%d}\n", ended)
	}
	return nil
}

// Between two calls, drawn evenly around the mean, so that clients do not march in step.
func (l *load) think(ctx context.Context) {
	if l.plan.ThinkMs == 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(seconds(2 * l.plan.ThinkMs / 1000 * rand.Float64())):
	}
}

// Makes one call, which must be answered in time. Returns how long it took; the error names it.
func call[Request, Reply any](
	ctx context.Context, name string, method func(context.Context, *Request, ...grpc.CallOption) (*Reply, error), request *Request,
) (*Reply, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	sent := time.Now()
	reply, err := method(ctx, request)
	took := time.Since(sent)
	if err != nil {
		return nil, took, fmt.Errorf("%s failed after %v: %w", name, took.Round(time.Millisecond), err)
	}
	return reply, took, nil
}

func seconds(value float64) time.Duration {
	return time.Duration(value * float64(time.Second))
}

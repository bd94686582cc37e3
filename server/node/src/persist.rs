//! Calls that nobody could answer at once, tried again until somebody leads: an election takes a moment, and
//! no client need notice it.
//!
//! Only what was certainly not begun is tried again (`P3`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use proto::v1::{ErrorDetail, SessionAnswer, SessionCall};
use types::{NodeId, limits};

use crate::call::Call;
use crate::clock::Clock;
use crate::expressions;
use crate::forward::{self, Forward};
use crate::handle::Handle;
use crate::reply::Answered;

/// Where a call can be tried.
pub struct Ways {
    /// The ways to the other nodes.
    pub forward: Arc<Forward>,
    /// The way to this node's shard.
    pub shard: Handle,
    /// The clock that deadlines are read on.
    pub clock: Clock,
}

/// Whether a call that ended so was not begun, for want of somebody who leads.
pub fn is_worth_it(answered: &Answered) -> bool {
    matches!(answered, Err(item::Error::NotLeader | item::Error::Elsewhere { .. }))
}

/// Whether a refusal says that nobody could be found who leads, so that nothing was begun.
pub fn is_led_by_nobody(refused: &ErrorDetail) -> bool {
    refused.name == api::status::of(&item::Error::NotLeader).detail.name
}

/// Whom a node that refused names in its stead, if a call may be passed on once more.
pub fn named_instead(refused: &ErrorDetail, node: NodeId, passes: u32) -> Option<NodeId> {
    let next = NodeId(refused.node);
    (next != NodeId(0) && next != node && passes < limits::PASSES_MAX).then_some(next)
}

impl Ways {
    /// Answers a session's call that nobody could answer so far, by passing it on to who may lead, or here.
    pub async fn on_session(
        &self,
        call: Call,
        request: SessionCall,
        first: item::Error,
        time: Duration,
    ) -> SessionAnswer {
        let (begun, mut error, mut passes) = (Instant::now(), first, 0);
        let patience = time.min(Duration::from_millis(limits::LEADER_WAIT_MS_MAX));
        loop {
            if let item::Error::Elsewhere { node } = error {
                let left = time.saturating_sub(begun.elapsed());
                let answer = self.forward.on_session(node, call, request.clone(), left).await;
                let refused = answer.error.as_ref().filter(|refused| is_led_by_nobody(refused));
                let Some(refused) = refused else { return answer };
                passes += 1;
                if let Some(next) = named_instead(refused, node, passes) {
                    error = item::Error::Elsewhere { node: next };
                    continue;
                }
            }
            passes = 0;
            let pause = Duration::from_millis(limits::LEADER_WAIT_MS);
            if begun.elapsed() + pause > patience {
                return forward::refusal(request.id, &item::Error::NotLeader);
            }
            tokio::time::sleep(pause).await;
            let answered = self.ask(&request, call, time.saturating_sub(begun.elapsed())).await;
            match answered {
                Err(again @ (item::Error::NotLeader | item::Error::Elsewhere { .. })) => error = again,
                answered => {
                    return match api::session::encode(request.operation(), answered) {
                        Ok(response) => SessionAnswer { id: request.id, response, ..Default::default() },
                        Err(error) => forward::refusal(request.id, &error),
                    };
                }
            }
        }
    }

    async fn ask(&self, request: &SessionCall, call: Call, time: Duration) -> Answered {
        let decode =
            |cache: &mut _| api::session::decode(request.operation(), request.request.clone(), cache);
        // It was decoded once.
        let Ok(command) = expressions::with(decode) else { return Err(item::Error::NotLeader) };
        self.shard.ask_within(self.clock, call, command, time, request.request.len()).await
    }
}

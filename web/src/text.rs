//! Every word that the page itself says, in both languages. A text without a translation does not compile.

use serde::{Deserialize, Serialize};

/// The languages of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Japanese.
    Ja,
    /// English.
    En,
}

impl Language {
    /// As in `lang` attributes and in file names.
    pub fn code(self) -> &'static str {
        match self {
            Language::Ja => "ja",
            Language::En => "en",
        }
    }

    /// The language that a browser's language tag asks for.
    pub fn from_tag(tag: &str) -> Language {
        if tag.to_ascii_lowercase().starts_with("ja") { Language::Ja } else { Language::En }
    }
}

macro_rules! texts {
    ($($key:ident: $ja:literal, $en:literal;)*) => {
        /// A text of the page.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the texts themselves say what they are")]
        pub enum T { $($key),* }

        impl T {
            /// The text in a language.
            pub fn get(self, language: Language) -> &'static str {
                match (self, language) {
                    $((T::$key, Language::Ja) => $ja, (T::$key, Language::En) => $en,)*
                }
            }

            /// Every text, for tests.
            pub const ALL: &'static [T] = &[$(T::$key),*];
        }
    };
}

texts! {
    Tagline: "ブラウザの中で動く Kubernetes クラスター", "A Kubernetes cluster inside your browser";
    Lead: "サーバーもアカウントもいりません。コマンドは、このタブの中のクラスターで本当に動きます。", "No server, no account. Your commands really run, on a cluster inside this tab.";
    Courses: "コース", "Courses";
    Lesson: "レッスン", "Lesson";
    Map: "地図", "Map";
    Terminal: "端末", "Terminal";
    Start: "はじめる", "Start";
    Continue: "続ける", "Continue";
    Again: "もう一度", "Again";
    AboutMinutes: "およそ {n} 分", "about {n} min";
    StepOf: "手順 {n} / {m}", "Step {n} of {m}";
    Intro: "はじめに", "Introduction";
    Previous: "戻る", "Back";
    Next: "次へ", "Next";
    NextLesson: "次のレッスンへ", "Next lesson";
    AllLessons: "レッスン一覧へ", "All lessons";
    Run: "実行", "Run";
    RunIn: "端末 {n} で実行", "Run in terminal {n}";
    Copy: "コピー", "Copy";
    Copied: "コピーしました", "Copied";
    Checks: "達成 {n} / {m}", "{n} of {m} done";
    CheckReached: "達成", "done";
    CheckMissing: "まだ", "not yet";
    Tip: "ヒント", "Tip";
    Warning: "注意", "Careful";
    Why: "いま起きたこと", "What just happened";
    Important: "大事なこと", "Important";
    Reset: "このレッスンを最初からやり直す", "Start this lesson over";
    ResetConfirm: "このレッスンのクラスターと端末を消して、最初からやり直しますか？", "Discard the cluster and the terminals of this lesson and start over?";
    Pause: "止める", "Pause";
    Resume: "動かす", "Resume";
    StepEvent: "次の出来事まで進める", "Run the next event";
    Speed: "時間の速さ", "Speed of time";
    Elapsed: "クラスターの時計", "The cluster's clock";
    Lagging: "このタブでは計算が追いつかないので、クラスターの時間をゆっくり進めています。", "This tab cannot keep up, so the cluster's time runs slower.";
    Loading: "イメージを読み込んでいます", "Loading an image";
    NewTerminal: "新しい端末", "New terminal";
    CloseTerminal: "端末 {n} を閉じる", "Close terminal {n}";
    TerminalN: "端末 {n}", "Terminal {n}";
    ControlPlane: "コントロールプレーン", "Control plane";
    You: "あなた", "You";
    Controllers: "コントローラー", "controllers";
    Services: "Service", "Services";
    Nodes: "ノード", "Nodes";
    Endpoints: "エンドポイント {n}", "{n} endpoints";
    NodeReady: "Ready", "Ready";
    NodeNotReady: "NotReady", "NotReady";
    Cpu: "CPU {n} / {m}", "CPU {n} of {m}";
    EmptyMap: "まだクラスターがありません。端末で minikube start を実行すると、ここに現れます。", "There is no cluster yet. Run minikube start in the terminal and it appears here.";
    EmptyNode: "Pod はまだありません", "No Pods yet";
    PodPending: "待機中", "Pending";
    PodStarting: "起動中", "Starting";
    PodNotReady: "準備中", "Not ready";
    PodReady: "稼働中", "Running";
    PodTerminating: "終了中", "Terminating";
    PodFailing: "失敗", "Failing";
    PodSucceeded: "完了", "Completed";
    Unscheduled: "ノードを待つ Pod", "Pods waiting for a node";
    Inspector: "詳しく見る", "Inspector";
    Close: "閉じる", "Close";
    Events: "イベント", "Events";
    NoEvents: "イベントはありません。", "No events.";
    Gone: "もうありません。", "It no longer exists.";
    Language: "言語", "Language";
    Theme: "明るさを切り替える", "Switch light and dark";
    Divider: "境界を動かす", "Move the divider";
    Restoring: "前回の続きを再現しています {n} / {m}", "Playing your session again: {n} of {m}";
    Preparing: "クラスターを用意しています", "Preparing the cluster";
    Restored: "前回の続きから始めます。", "Back where you left off.";
    NotSaved: "このブラウザでは保存できないため、タブを閉じると続きが失われます。", "This browser does not let us save, so closing the tab loses your session.";
    Crashed: "クラスターが停止したため、記録から作り直しました。", "The cluster stopped and was brought back from its log.";
    CrashedOften: "クラスターが繰り返し停止しました。このレッスンを最初からやり直してください。", "The cluster keeps stopping. Start this lesson over.";
    Problem: "表示できません", "This cannot be shown";
    NotFound: "そのレッスンはありません。", "There is no such lesson.";
    WorkerFailed: "クラスターを起動できませんでした。ページを読み込み直してください。", "The cluster could not be started. Please reload the page.";
    BuildMismatch: "ページが新しくなりました。読み込み直してください。", "The page has been updated. Please reload it.";
    Dismiss: "閉じる", "Dismiss";
    Home: "レッスン一覧", "All lessons";
    Loaded: "読み込んでいます", "Loading";
    SimulatedNote: "マシン、ネットワーク、時計は模型です。API とその裏側の仕組みは本物と同じように動きます。", "Machines, wires and the clock are a model. The API and the parts behind it work as the real ones do.";
}

/// A text with its places `{n}` and `{m}` filled in.
pub fn fill(text: &str, n: impl ToString, m: impl ToString) -> String {
    text.replace("{n}", &n.to_string()).replace("{m}", &m.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_same_in_both_languages() {
        for text in T::ALL {
            for place in ["{n}", "{m}"] {
                let counts = [Language::Ja, Language::En].map(|l| text.get(l).matches(place).count());
                assert_eq!(counts[0], counts[1], "{text:?} {place}");
            }
            assert!(!text.get(Language::Ja).is_empty() && !text.get(Language::En).is_empty(), "{text:?}");
        }
    }
}
